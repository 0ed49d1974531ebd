# frozen_string_literal: true

require_relative "spec_helper"

# The extension declares itself safe for Ractors: each may open engines of its own, but none can
# reach those of another. The Ruby layer above it keeps settings per process and stays with the main
# one. Each script runs in a process of its own, because the first Ractor changes how Ruby works.
RSpec.describe "Ractors" do
  before { skip "this Ruby has no Ractor" unless defined?(Ractor) }

  # Run a script; it ends well or the example fails with what it said.
  def passes(script, *arguments)
    options = ENV["STEPWELL_INSTALLED"] ? [] : ["-I", LIBRARY]
    output, status = Open3.capture2e(RbConfig.ruby, "-W:no-experimental", *options, "-rstepwell", "-e", script, *arguments)
    expect(status).to be_success, output
  end

  # One task from its definition to its end, through calls of the extension alone.
  journey = <<~'RUBY'
    def journey(store, name)
      engine = Stepwell::Engine.new(store)
      engine.register_text(%({"stepwell":1,"name":"#{name}","steps":[{"name":"a"}]}))
      id = engine.submit([{ workflow: name, input_json: "[1,2]" }]).first.task_id
      worker = engine.worker_open(handlers: ["#{name}.a"], name: "r")
      row = engine.exchange(worker, [], 1, 1000).claims.first
      engine.exchange(worker, [[row.step_id, row.epoch, :succeeded, "{}"]], 0, 0)
      begin
        engine.update_batch([[row.step_id, row.epoch, :no_such_outcome]])
        raise "a wrong outcome went through"
      rescue Stepwell::InvalidArgumentError => error
        raise "wrong row" unless error.row == 0
      end
      state = engine.wait(id, 1000).state
      raise "not done: #{state}" unless state == :succeeded
      raise "the audit log does not verify" unless engine.audit_verify.ok
      engine.worker_close(worker)
      engine.close
      state
    end
  RUBY

  it "work side by side, each on a store of its own" do
    passes(journey + <<~'RUBY')
      ractors = Array.new(4) { |n| Ractor.new(n) { |m| Array.new(10) { journey("memory:", "w#{m}") } } }
      raise "not all done" unless ractors.flat_map { |ractor| ractor.respond_to?(:value) ? ractor.value : ractor.take } == [:succeeded] * 40
    RUBY
  end

  it "work side by side on one file" do
    passes(journey + <<~'RUBY', File.join(directory, "shared.db"))
      path = ARGV.first.dup.freeze
      Stepwell::Engine.new(path).close
      ractors = Array.new(3) { |n| Ractor.new(path, n) { |p, m| Array.new(3) { journey(p, "w#{m}") } } }
      raise "not all done" unless ractors.flat_map { |ractor| ractor.respond_to?(:value) ? ractor.value : ractor.take } == [:succeeded] * 9
    RUBY
  end

  it "cannot share an engine" do
    passes(<<~'RUBY')
      engine = Stepwell::Engine.new("memory:")
      raise "an engine is shareable" if Ractor.shareable?(engine)
      ractor = Ractor.new { Ractor.receive }
      # Copying is refused as by #dup.
      { { move: false } => NoMethodError, { move: true } => Ractor::Error }.each do |options, refusal|
        ractor.send(engine, **options)
        raise "an engine was sent with #{options}"
      rescue refusal
        engine.info
      end
      begin
        Ractor.make_shareable(engine)
        raise "an engine was made shareable"
      rescue Ractor::Error
        engine.info
      end
    RUBY
  end
end
