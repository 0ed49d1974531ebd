# frozen_string_literal: true

require_relative "spec_helper"

# The exception classes: one per code of the public header, plus the Ruby layer's own; and what the
# type files say about them.
RSpec.describe Stepwell::Error do
  # [["EINVAL", "InvalidArgumentError"], ...] as the header lists them.
  codes = File.read(File.join(ROOT, "core/include/stepwell/error.h"))
              .scan(/XX\((E\w+), -\d+, (\w+),/)

  it "has one class per code" do
    expect(codes.size).to be > 15
    (codes - [%w[ENOMEM OutOfMemoryError]]).each do |code, name|
      type = Stepwell.const_get(name)
      expect(type.superclass).to eq(described_class)
      expect(type.new("x").code).to eq(code.to_sym)
    end
  end

  it "leaves memory to NoMemoryError" do
    expect(Stepwell.const_defined?(:OutOfMemoryError)).to be(false)
  end

  it "describes every class in the type files" do
    typed = File.read(File.join(ROOT, "gems/stepwell/sig/errors.rbs")).scan(/^  class (\w+)/).flatten
    defined = Stepwell.constants.map { |name| Stepwell.const_get(name) }
                      .select { |value| value.is_a?(Class) && value <= described_class }
    expect(typed).to match_array(defined.map { |type| type.name.delete_prefix("Stepwell::") })
  end

  it "has no code and no row when Ruby code raises it bare" do
    expect(described_class.new("x")).to have_attributes(code: nil, row: nil, message: "x")
    expect(Stepwell::DefinitionError.new.findings).to eq([])
  end

  it "keeps long messages valid" do
    engine = open_engine
    name = "é" * 400
    expect { engine.workflow(name) }.to raise_error(Stepwell::Error) { |error|
      expect(error.message).to be_valid_encoding
      expect(error.message.encoding).to eq(Encoding::UTF_8)
    }
  end

  it "comes with a report when a result was tampered with" do
    engine = open_engine(:sqlite)
    submit(engine)
    row = claim(engine).first
    engine.update_batch([[row.step_id, row.epoch, :succeeded, '"paid 1000 euros"']])
    engine.close
    path = File.join(directory, "sqlite.db")
    bytes = File.binread(path)
    expect(bytes.sub!("paid 1000 euros", "paid 9000 euros")).not_to be_nil
    File.binwrite(path, bytes)

    Stepwell::Engine.open(path) do |opened|
      expect { opened.audit_verify }.to raise_error(Stepwell::AuditError) { |error|
        expect(error.report).to have_attributes(ok: false, message: error.message)
        expect(error.report.first_bad_entry).to be > 0
      }
    end
  end
end
