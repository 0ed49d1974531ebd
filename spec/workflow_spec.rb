# frozen_string_literal: true

require_relative "spec_helper"

module WorkflowSpec
  class Declined < StandardError; end
  class Unreachable < StandardError; end

  module Shipping
    def ship(ctx) = ctx.result(:charge)
  end

  class OrderWorkflow < Stepwell::Workflow
    include Shipping

    version "1.2.0"
    description "Sells things"
    max_parallel 3
    on_failure :skip_dependents
    input_schema({ type: :object })
    metadata({ owner: "ann" })

    step :validate
    step :charge, after: :validate, timeout: 20, queue: :billing, priority: 5, on_failure: :fail_task,
                  retries: { attempts: 5, wait: 2, backoff: :exponential, max: 60, jitter: 0.15 },
                  retry_on: [Unreachable, IOError], discard_on: Declined, title: "Take the money",
                  metadata: { cost: 3 }
    step :ship, after: %i[charge validate], retries: 2
    step :label, after: :ship, handler: "printer.label"
    step :save, after: :ship, kind: :create_file, parameters: { path: "x", content: "y" }

    def validate(ctx) = { n: ctx.input[:n] }
    def charge(ctx) = ctx.result(:validate)
  end

  class HTTPImportWorkflow < Stepwell::Workflow
    step(:go)
    def go(_) = nil
  end
end

RSpec.describe Stepwell::Workflow do
  def workflow(name = "w", &block)
    Class.new(described_class) do
      workflow_name name
      class_eval(&block)
    end
  end

  describe "deadlines" do
    let(:engine) { Stepwell::Engine.new("memory:") }
    let(:quote) do
      workflow("quote") do
        deadline 7200
        step :ask, deadline: 1.5
        define_method(:ask) { |_| nil }
      end
    end

    after { engine.close }

    it "stand in the definition" do
      expect(quote.definition).to include("deadline_ms" => 7_200_000)
      expect(quote.definition["steps"].first).to include("deadline_ms" => 1500)
      expect(quote.register(engine: engine).deadline_ms).to eq(7_200_000)
    end

    it "are given as seconds or as a time" do
      plain = quote.start(engine: engine).row
      short = quote.start(engine: engine, deadline: 0.25).row
      at = Time.at(2_000_000_000)
      expect(plain.deadline_us - plain.created_us).to eq(7_200_000_000)
      expect(plain.step(:ask).fails_us - plain.created_us).to eq(1_500_000)
      context = engine.get_task_execution_context(plain.task_id)
      expect([context.deadline_us, context.next_deadline_us]).to eq([plain.deadline_us, plain.step(:ask).fails_us])
      expect(short.deadline_us - short.created_us).to eq(250_000)
      expect(engine.start("quote", deadline: at).row.deadline_us).to eq(2_000_000_000_000_000)
    end

    it "are refused when they are none" do
      ["soon", 0, -1, Float::NAN].each do |wrong|
        expect { quote.start(engine: engine, deadline: wrong) }.to raise_error(Stepwell::InvalidArgumentError, /deadline/)
      end
      expect { engine.submit([{ workflow: "quote", deadline_ms: -1 }]) }.to raise_error(Stepwell::Error)
    end
  end

  it "turns the class into a definition" do
    expect(JSON.parse(WorkflowSpec::OrderWorkflow.definition_json)).to eq(
      "stepwell" => 1, "name" => "workflow_spec.order", "version" => "1.2.0", "description" => "Sells things",
      "max_parallel" => 3, "on_failure" => "skip_dependents", "input_schema" => { "type" => "object" }, "metadata" => { "owner" => "ann" },
      "steps" => [
        { "name" => "validate", "handler" => "workflow_spec.order.validate" },
        { "name" => "charge", "handler" => "workflow_spec.order.charge", "title" => "Take the money",
          "queue" => "billing", "priority" => 5, "after" => ["validate"], "timeout_ms" => 20_000,
          "on_failure" => "fail_task", "metadata" => { "cost" => 3 },
          "retry" => { "max_attempts" => 5, "backoff" => "exponential", "base_ms" => 2000, "max_ms" => 60_000,
                       "jitter" => 0.15 } },
        { "name" => "ship", "handler" => "workflow_spec.order.ship", "after" => %w[charge validate],
          "retry" => { "max_attempts" => 2 } },
        { "name" => "label", "handler" => "printer.label", "after" => ["ship"] },
        { "name" => "save", "handler" => "create_file", "after" => ["ship"],
          "parameters" => { "path" => "x", "content" => "y" } }
      ]
    )
  end

  it "declares how many lost attempts a step may have" do
    shape = workflow { step :a, kind: :noop, retries: { attempts: 3, crashes: 0 } }
    expect(shape.definition["steps"].first["retry"]).to eq("max_attempts" => 3, "max_crashes" => 0)
    expect(open_engine.register(shape).findings).to eq([])
  end

  it "declares trigger rules" do
    shape = workflow do
      step :a, kind: :noop
      step :b, kind: :noop, after: :a, trigger: :all_done
      step :c, kind: :noop, after: %i[a b], trigger: { quorum: 2 }
    end
    expect(shape.definition["steps"].map { |step| step["trigger"] }).to eq([nil, "all_done", { "quorum" => 2 }])
    expect(open_engine.register(shape).findings).to eq([])
    refused = workflow { step :a, kind: :noop, trigger: { quorum: 1 } }
    expect { open_engine.register(refused) }.to raise_error(Stepwell::DefinitionError, /a quorum of 1 of 0 steps/)
    expect { workflow { step :a, trigger: 2 } }
      .to raise_error(Stepwell::InvalidArgumentError, "step a trigger: must be the name of a rule or { quorum: number }, not 2")
  end

  it "is a definition that the engine takes without warnings" do
    expect(open_engine.register(WorkflowSpec::OrderWorkflow).findings).to eq([])
  end

  it "takes its name from the class" do
    expect(WorkflowSpec::OrderWorkflow.workflow_name).to eq("workflow_spec.order")
    expect(WorkflowSpec::HTTPImportWorkflow.workflow_name).to eq("workflow_spec.http_import")
    expect(WorkflowSpec::OrderWorkflow.name).to eq("WorkflowSpec::OrderWorkflow")
    named = Class.new(WorkflowSpec::OrderWorkflow) { name "other" }
    expect(named.workflow_name).to eq("other")
    expect { Class.new(named).workflow_name }.to raise_error(Stepwell::InvalidArgumentError, /anonymous/)
  end

  it "inherits settings and steps, and adds to them" do
    child = Class.new(WorkflowSpec::HTTPImportWorkflow) do
      workflow_name "child"
      step(:more, after: :go)
      def more(_) = 1
    end
    expect(child.steps.keys).to eq(%w[go more])
    expect(WorkflowSpec::HTTPImportWorkflow.steps.keys).to eq(%w[go])
    expect(Class.new(WorkflowSpec::OrderWorkflow).version).to eq("1.2.0")
  end

  it "knows which exceptions are worth another attempt" do
    charge = WorkflowSpec::OrderWorkflow.steps.fetch("charge")
    expect(charge.retry?(WorkflowSpec::Unreachable.new)).to be(true)
    expect(charge.retry?(EOFError.new)).to be(true)
    expect(charge.retry?(WorkflowSpec::Declined.new)).to be(false)
    expect(charge.retry?(ArgumentError.new)).to be(false)
    expect(WorkflowSpec::OrderWorkflow.steps.fetch("ship").retry?(ArgumentError.new)).to be(true)
  end

  wrong = {
    "a step twice" => [proc { 2.times { step :a } }, /declares step a twice/],
    "handler and kind" => [proc { step :a, handler: "x.y", kind: :noop }, /both handler: and kind:/],
    "retry_on without retries" => [proc { step :a, retry_on: IOError }, /no retries:/],
    "retry_on that is no class" => [proc { step :a, retries: 2, retry_on: :io }, /takes exception classes/],
    "discard_on for a handler elsewhere" => [proc { step :a, handler: "x.y", discard_on: IOError }, /elsewhere/],
    "an unknown retry setting" => [proc { step :a, retries: { attempt: 2 } }, /has no :attempt/],
    "retries of a wrong type" => [proc { step :a, retries: "2" }, /Integer or a Hash/],
    "a timeout that is a String" => [proc { step :a, timeout: "2" }, /must be seconds/],
    "an infinite timeout" => [proc { step :a, timeout: Float::INFINITY }, /finite/]
  }
  wrong.each do |name, (body, message)|
    it "refuses #{name} at once" do
      expect { workflow(&body) }.to raise_error(Stepwell::InvalidArgumentError, message)
    end
  end

  it "refuses an unknown option of a step" do
    expect { workflow { step :a, colour: 1 } }.to raise_error(ArgumentError, /colour/)
  end

  it "needs a method for every step, of its own and with one argument" do
    expect { workflow { step :a }.definition }.to raise_error(Stepwell::InvalidArgumentError, /no method a/)
    expect { workflow { step :system }.definition }.to raise_error(Stepwell::InvalidArgumentError, /no method system/)
    without = workflow do
      step :a
      def a = 1
    end
    expect { without.definition }.to raise_error(Stepwell::InvalidArgumentError, /must take one argument/)
  end

  it "reports what only the engine sees: cycles and unknown steps" do
    circle = workflow do
      step :a, after: :b
      step :b, after: :a
      def a(_) = 1
      def b(_) = 1
    end
    expect { circle.register(engine: open_engine) }.to raise_error(Stepwell::DefinitionError, /circle: a . b . a/)
    unknown = workflow do
      step :a, after: :other
      def a(_) = 1
    end
    expect { unknown.register(engine: open_engine) }.to raise_error(Stepwell::DefinitionError, /other/)
  end

  it "takes durations of any numeric kind" do
    minutes = Class.new { def to_f = 90.0 }.new
    steps = workflow do
      step :a, timeout: 0.25
      step :b, timeout: 1/4r
      step :c, timeout: minutes
      %i[a b c].each { |name| define_method(name) { |_| nil } }
    end.definition["steps"]
    expect(steps.map { |step| step["timeout_ms"] }).to eq([250, 250, 90_000])
  end

  describe ".start" do
    let(:engine) { open_engine }
    let(:order) { WorkflowSpec::OrderWorkflow }

    it "takes keywords as the input" do
      task = order.start(engine: engine, n: 3, list: [1])
      expect(task.input).to eq({ "n" => 3, "list" => [1] })
      expect(task.status).to eq(:pending)
      expect(task.workflow).to eq("workflow_spec.order")
    end

    it "takes one value as the input, whatever its keys are" do
      expect(order.start({ key: "mine", priority: 1 }, engine: engine).input).to eq({ "key" => "mine", "priority" => 1 })
      expect(order.start([1], engine: engine).input).to eq([1])
      expect(order.start(engine: engine).input).to be_nil
      expect { order.start({ a: 1 }, engine: engine, b: 2) }.to raise_error(ArgumentError, /not both/)
    end

    it "is idempotent with a key, and says what it is told" do
      options = { engine: engine, key: "k", initiator: "ann", reason: "r", correlation_id: "c", tags: ["t"], priority: 2 }
      first = order.start(n: 1, **options)
      expect(order.start(n: 1, **options)).to eq(first)
      expect(first.row).to have_attributes(key: "k", initiator: "ann", reason: "r", correlation_id: "c", tags: ["t"],
                                           priority: 2, version: "1.2.0")
    end

    it "names the task that starts it, and is found by it" do
      first = order.start(engine: engine)
      second = order.start(engine: engine, parent: first)
      more = order.start_many([1, 2], engine: engine, parent: first.id)
      expect(first.parent_id).to be_nil
      expect([second, *more].map(&:parent_id).uniq).to eq([first.id])
      expect(engine.tasks(parent: first)).to eq([*more.reverse, second])
      expect(engine.start("workflow_spec.order", nil, parent: second).parent_id).to eq(second.id)
    end

    it "refuses an input that is not JSON before anything is stored" do
      expect { order.start(engine: engine, n: Object.new) }.to raise_error(Stepwell::PayloadError, /\$\.n/)
      expect(engine.count.values.sum).to eq(0)
    end

    it "stores a definition once per engine, and again when it has changed" do
      changing = workflow do
        step :a
        def a(_) = 1
        def b(_) = 1
      end
      expect(engine).to receive(:register_text).twice.and_call_original
      2.times { changing.start(engine: engine) }
      changing.step :b
      expect(changing.start(engine: engine).steps.map(&:name)).to eq(%w[a b])
    end

    it "uses the default engine when none is given" do
      Stepwell.configure("memory:")
      expect(order.start(n: 1).engine).to be(Stepwell.engine)
    ensure
      Stepwell.configure("memory:")
    end
  end
end
