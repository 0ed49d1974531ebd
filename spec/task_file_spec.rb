# frozen_string_literal: true

require_relative "spec_helper"
require File.join(ROOT, "docs/examples/audit/verify_task")

# Tasks as files from Ruby: written, verified, opened, put back; and what is refused.
RSpec.describe Stepwell::TaskFile do
  let(:engine) { open_engine }
  let(:path) { File.join(directory, "w.task") }
  let(:signer) { File.join(directory, "w.key") }
  let!(:key) { Stepwell::Audit.keygen("example.com/w", signer: signer) }
  let!(:task) do
    id = submit(engine, { "a" => {}, "b" => { "after" => ["a"] } }, input_json: '{"n": 1}')
    until (rows = claim(engine, "w.a", "w.b")).empty?
      engine.update_batch(rows.map { |row| [row.step_id, row.epoch, :succeeded, "1"] })
    end
    engine.task(id)
  end

  it "is written, read and verified" do
    sealed = engine.audit.seal(signer: signer)
    written = task.export(Pathname(path), checkpoint: sealed)
    file = described_class.read(path)
    expect(file).to have_attributes(text: written.text, source: path, inspect: "#<Stepwell::TaskFile #{path}>")
    expect(file.verify).to have_attributes(ok: true, level: :integrity, step_count: 2, signed_count: 0)
    expect(file.verify(vkeys: key)).to have_attributes(level: :signed, root: sealed.root)
    expect(file.verify(vkeys: key, checkpoints: sealed).signed_count).to be > 5
    expect(file).to be_verified
    far = "file:#{File.join(directory, "far")}"
    engine.audit.anchor_put(far, checkpoint: sealed, vkeys: key)
    expect(file.verify(vkeys: key, anchors: far).level).to eq(:anchored)
  end

  it "needs a checkpoint of its size when it has none" do
    file = task.export
    expect(file.source).to be_nil
    expect { file.verify(vkeys: key) }.to raise_error(Stepwell::AuditError, /is not signed/)
    expect(file.verify(vkeys: key, checkpoints: engine.audit.seal(signer: signer)).level).to eq(:signed)
  end

  it "says what is wrong" do
    text = task.export.text
    edited = described_class.new(text.sub('\"n\": 1', '\"n\": 2'), source: "w.task")
    expect { edited.verify }.to raise_error(Stepwell::AuditError, /the input of the task was edited/) { |error|
      expect(error.report).to have_attributes(ok: false, level: :none)
    }
    expect(edited).not_to be_verified
    expect { edited.task }.to raise_error(Stepwell::AuditError, /edited/)
    broken = described_class.new(text.sub('"version"', '"vrsn"'), source: "w.task")
    expect { broken.verify }.to raise_error(Stepwell::InvalidArgumentError, /\Aw\.task:1:1: the key "version" is missing/)
    expect { broken.open }.to raise_error(Stepwell::InvalidArgumentError)
  end

  it "is the task" do
    copy = task.export.task
    expect(copy).to eq(task)
    expect(copy.row.to_h).to eq(task.row.to_h)
    expect(copy.steps.map(&:to_h)).to eq(task.steps.map(&:to_h))
    expect(copy.history.map(&:to_h)).to eq(task.history.map(&:to_h))
    expect(copy.gantt(format: :text)).to eq(task.gantt(format: :text))
    expect(copy.explain).to eq(task.explain)
  end

  it "goes back, and knows how it went on" do
    file = task.export
    start = task.history.find { |entry| entry.to == :running }.entry_no
    file.open(at_entry: start) do |back|
      copy = back.task(task.id)
      expect(copy.step(:a).state).to eq(:running)
      expect(copy.result(:a)).to be_nil
      expect(copy.forecast.steps.map(&:source)).to eq(%i[step step])
    end
    expect { file.open(at_entry: 1) }.to raise_error(Stepwell::NotFoundError)
    expect { file.open(at_entry: 1000) }.to raise_error(Stepwell::NotFoundError)
  end

  it "is verified by another implementation, whose findings are ours" do
    file = task.export(nil, checkpoint: engine.audit.seal(signer: signer))
    other = TaskFileVerifier.new(key.vkey)
    expect(other.verify(JSON.parse(file.text))).to match(/\A\d+ of \d+ entries proved, signed\z/)
    lines = file.text.lines
    first = lines.index { |line| line.include?('"no"') }
    [[first + 3], [first + 4, first + 5]].each do |gone|
      text = lines.each_with_index.reject { |_, i| gone.include?(i) }.map(&:first).join
      expect(described_class.new(text)).not_to be_verified
      expect { other.verify(JSON.parse(text)) }.to raise_error(Refused)
    end
  end

  it "refuses what there is not" do
    gone = engine.task("01a1fa53-a1dc-76ad-9ffc-eb15f6879603")
    expect { gone.export }.to raise_error(Stepwell::NotFoundError)
    expect { task.export("/no/folder/x") }.to raise_error(Stepwell::NotFoundError)
    expect { task.export(path, checkpoint: "x") }.to raise_error(Stepwell::InvalidArgumentError, /no checkpoint/)
    expect(File.exist?(path)).to be(false)
  end
end
