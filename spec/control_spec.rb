# frozen_string_literal: true

require_relative "spec_helper"
require "json"
require File.join(ROOT, "docs/examples/audit/verify_report")

RSpec.describe "control reports" do
  let(:folder) { directory }
  let(:engine) { open_engine }
  let(:signer) { File.join(folder, "key") }
  let!(:key) { Stepwell::Audit.keygen("example.com/w", signer: signer) }
  let(:export) { File.join(folder, "export") }
  let(:checkpoint) do
    engine.register(definition({ "a" => {}, "b" => {} }))
    ids = Array.new(3) { |i| engine.submit([{ workflow: "w", initiator: i == 2 ? nil : "ann", input_json: "{}" }]).first.task_id }
    engine.cancel([[ids.first, "b<script>|*_`", "why"]])
    engine.audit.seal(signer: signer).tap { |sealed| engine.audit.export(export, checkpoint: sealed) }
  end

  def report(**options)
    engine.audit.report(checkpoints: checkpoint, vkeys: key, **options)
  end

  it "says what there is, from the database as from its export" do
    %i[json markdown html].each do |format|
      made = report(format: format)
      expect(made.text).not_to match(/complian/i)
      expect(Stepwell::Audit.report_export(export, vkeys: key, format: format)).to eq(made)
    end
    made = report
    expect(made).to have_attributes(origin: "example.com/w", entry_count: checkpoint.entry_count, level: :signed)
    expect(made.to_s).to eq(made.text)
    expect(made.found + made.not_found + made.not_applicable).to eq(made.controls.size)
    expect(made.controls.find { |row| row.control == "10.2.1.2" }).to have_attributes(standard: :pci, answer: :found, entry_nos: [be_positive, be_positive, be_positive])
    requests = made.evidence.find { |row| row.evidence == :requests }
    expect(requests).to have_attributes(answer: :not_found, entry_count: 2, against_count: 1)
    expect(JSON.parse(made.text)["controls"].map { |row| row["answer"].to_sym }).to eq(made.controls.map(&:answer))
  end

  it "takes standards and a time" do
    expect(report(standards: :gdpr).controls.map(&:standard).uniq).to eq([:gdpr])
    expect(report(standards: %i[gdpr soc2]).controls.map(&:standard).uniq).to eq(%i[soc2 gdpr])
    expect(report(since: Time.now + 3600).window_count).to eq(0)
    expect(report(until: Time.now + 3600).window_count).to eq(checkpoint.entry_count)
    expect(Stepwell::Audit.controls.size).to eq(report.controls.size)
    expect(Stepwell::Audit.controls(:pci).map(&:control)).to include("10.2.2")
    expect(Stepwell::Audit.controls("pci").first).to have_attributes(standard: :pci, cites: "PCI DSS v4.0.1", evidence: %i[integrity events])
  end

  it "refuses what is none" do
    expect { report(format: :pdf) }.to raise_error(Stepwell::InvalidArgumentError, /format/)
    expect { report(standards: :iso9001) }.to raise_error(Stepwell::InvalidArgumentError, /standard/)
    expect { report(standards: 5) }.to raise_error(TypeError)
    expect { report(whom: 5) }.to raise_error(ArgumentError, /unknown keyword: :whom/)
    expect { engine.audit.report(checkpoints: [], vkeys: key) }.to raise_error(Stepwell::InvalidArgumentError)
    expect { engine.audit.report(checkpoints: checkpoint.note.sub("w", "v"), vkeys: key) }.to raise_error(Stepwell::AuditError)
    expect { Stepwell::Audit.report_export("/no/folder", vkeys: key) }.to raise_error(Stepwell::NotFoundError)
  end

  it "is signed" do
    made = report
    signature = Stepwell::Audit.sign_report(made, signer: signer)
    expect(signature).to have_attributes(name: "example.com/w", digest: OpenSSL::Digest::SHA256.hexdigest(made.text))
    expect(Stepwell::Audit.check_report(made, signature, vkeys: key)).to eq(signature)
    expect(Stepwell::Audit.check_report(made.text, signature.note, vkeys: key.vkey)).to eq(signature)
    expect { Stepwell::Audit.check_report("#{made.text} ", signature, vkeys: key) }.to raise_error(Stepwell::AuditError, /edited/)
    expect(ReportVerifier.new(key.vkey).check(made.text, export, signature.note)).to match(/controls/)
  end

  # Every fact of the report, changed a little.
  def mutations(value, path = [], &block)
    case value
    when Hash then value.each { |name, item| mutations(item, path + [name], &block) }
    when Array
      value.each_with_index { |item, i| mutations(item, path + [i], &block) }
      yield path, value + [1] if value.all?(Integer)
    when Integer then yield path, value + 1
    when true, false then yield path, !value
    when nil then yield path, path.last == "until_us" ? 7 : 1 << 62 # a window in which nothing lies
    when "found" then yield path, "not_found"
    when /\A\w+\z/ then yield path, "found"
    else yield path, value.sub(/[A-Za-z0-9+]/) { |char| char == "A" ? "B" : "A" }
    end
  end

  it "is refused by the verifier in Ruby when any of its facts is another" do
    text = report.text
    verifier = ReportVerifier.new(key.vkey)
    expect(verifier.check(text, export)).to match(/hold in the #{checkpoint.entry_count} entries/)
    words = %w[cites title question reason standard control] # what is said about facts; a signature covers them
    tried = 0
    mutations(JSON.parse(text)) do |path, value|
      next if words.include?(path.last) && path.first != "proofs"

      edited = JSON.parse(text)
      path[0...-1].inject(edited) { |at, name| at[name] }[path.last] = value
      expect { verifier.check(JSON.generate(edited), export) }.to raise_error(StandardError), path.inspect
      tried += 1
    end
    expect(tried).to be > 300
  end

  it "is refused by the verifier in Ruby when the export is another" do
    text = report.text
    Dir.glob("#{export}/tile/entries/**/*").select { |path| File.file?(path) }.each do |path|
      bytes = File.binread(path)
      bytes.setbyte(40, bytes.getbyte(40) ^ 1)
      File.binwrite(path, bytes)
    end
    expect { ReportVerifier.new(key.vkey).check(text, export) }.to raise_error(Refused)
  end
end
