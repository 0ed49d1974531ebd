# frozen_string_literal: true

require_relative "spec_helper"

# Anchors from Ruby: checkpoints in places outside, and what they prove.
RSpec.describe "anchors of the audit log" do
  let(:engine) { open_engine(:sqlite) }
  let(:audit) { engine.audit }
  let(:signer) { File.join(directory, "w.key") }
  let!(:key) { Stepwell::Audit.keygen("example.com/w", signer: signer) }
  let(:checkpoint) { audit.seal(signer: signer) }

  def grow
    engine.worker_close(engine.worker_open(handlers: ["w.a"]))
  end

  def git(*words)
    system("git", "-C", File.join(directory, "repo"), *words, out: File::NULL, exception: true)
  end

  before { grow }

  it "are set and read in a file, a database and git" do
    FileUtils.mkdir(File.join(directory, "repo"))
    git("init", "--quiet")
    git("config", "user.name", "a")
    git("config", "user.email", "a@b")
    places = %W[file:#{directory}/far db:#{directory}/far.db git:#{directory}/repo]
    before = Time.now
    places.each do |place|
      set = audit.anchor_put(place, checkpoint: checkpoint, vkeys: key)
      expect(set).to have_attributes(place: place, note: checkpoint.note, entry_count: 2)
      expect(set.time_us / 1_000_000).to be_between(before.to_i, Time.now.to_i)
      read = Stepwell::Audit.anchor_get(place, "example.com/w")
      expect(read).to have_attributes(place: place, note: checkpoint.note, entry_count: 2)
      expect(audit.verify(anchors: place, vkeys: key)).to have_attributes(level: :anchored, anchored_count: 2)
    end
    grow
    report = audit.verify(anchors: [places.first, Stepwell::Audit.anchor_get(places.last, "example.com/w")], vkeys: key.vkey)
    expect(report).to have_attributes(level: :anchored, anchored_count: 2, entry_count: 4)
    expect(report.anchored_at.to_i).to be_between(before.to_i, Time.now.to_i)
  end

  it "are needed for their level" do
    report = audit.verify(checkpoints: checkpoint, vkeys: key)
    expect(report).to have_attributes(level: :signed, anchored_count: 0, anchored_us: nil, anchored_at: nil)
  end

  it "prove a folder, too" do
    audit.anchor_put("file:#{directory}/far", checkpoint: checkpoint, vkeys: key)
    audit.export("#{directory}/public", checkpoint: checkpoint)
    report = Stepwell::Audit.verify_export("#{directory}/public", vkeys: key, anchors: "file:#{directory}/far")
    expect(report.level).to eq(:anchored)
  end

  it "find a log that was rolled back" do
    old = File.join(directory, "old.db")
    engine.close
    FileUtils.cp(File.join(directory, "sqlite.db"), old)
    newer = Stepwell::Engine.open(File.join(directory, "sqlite.db"))
    engines << newer
    newer.worker_close(newer.worker_open(handlers: ["w.a"]))
    newer.audit.anchor_put("file:#{directory}/far", checkpoint: newer.audit.seal(signer: signer), vkeys: key)
    rolled_back = Stepwell::Engine.open(old)
    engines << rolled_back
    expect { rolled_back.audit.verify(anchors: "file:#{directory}/far", vkeys: key) }.to raise_error(Stepwell::AuditError, /cut off/)
    expect(rolled_back.audit.verified?(anchors: "file:#{directory}/far", vkeys: key)).to be(false)
  end

  it "refuse what is none" do
    other = Stepwell::Audit.keygen("example.com/w", signer: "#{signer}2")
    expect { audit.anchor_put("far", checkpoint: checkpoint, vkeys: key) }.to raise_error(Stepwell::InvalidArgumentError, /a place is/)
    expect { audit.anchor_put("file:#{directory}/far", checkpoint: checkpoint, vkeys: other) }.to raise_error(Stepwell::AuditError)
    expect { audit.anchor_put("file:#{directory}/no/far", checkpoint: checkpoint, vkeys: key) }.to raise_error(Stepwell::NotFoundError)
    expect { Stepwell::Audit.anchor_get("file:#{directory}/none", "example.com/w") }.to raise_error(Stepwell::NotFoundError)
    expect { audit.verify(anchors: "file:#{directory}/none", vkeys: key) }.to raise_error(Stepwell::NotFoundError)
    expect { engine.audit_verify(nil, [key.vkey], [["p", "n", 1]]) }.to raise_error(Stepwell::InvalidArgumentError, /3 elements/)
    forged = ["file:x", checkpoint.note.sub("\n2\n", "\n9\n"), 9, 0]
    expect { engine.audit_verify(nil, [key.vkey], [forged]) }.to raise_error(Stepwell::AuditError, /cannot be trusted/)
  end
end
