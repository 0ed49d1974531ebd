# frozen_string_literal: true

require_relative "spec_helper"
require "fiddle"

# Stepwell::Worker in this process: what handlers may do to themselves and not to others. Worker
# processes and signals are in worker_process_spec.rb.
RSpec.describe Stepwell::Worker do
  let(:engine) { open_engine }

  def workflow(name = "w", &block)
    Class.new(Stepwell::Workflow) do
      workflow_name name
      class_eval(&block)
    end
  end

  # Run a task of the workflow to its end.
  def finish(type, store_engine = engine, threads: 2, **options)
    task = type.start(engine: store_engine, n: 1)
    described_class.new(engine: store_engine, workflows: [type], threads: threads, **options).run(until: task)
    task
  end

  # A workflow with one step whose handler is the block.
  def one(**options, &handler)
    workflow do
      step :a, **options
      define_method(:a) { |ctx| instance_exec(ctx, &handler) }
    end
  end

  STORES.each do |store|
    it "runs a diamond on #{store}" do
      diamond = workflow do
        step :top
        step :left, after: :top
        step :right, after: :top
        step :bottom, after: %i[left right]
        def top(ctx) = ctx.input[:n]
        def left(ctx) = ctx.result(:top) + 1
        def right(ctx) = ctx.result(:top) + 2
        def bottom(ctx) = { sum: ctx.results.values.sum }
      end
      task = finish(diamond, open_engine(store))
      expect(task).to be_succeeded
      expect(task.result(:bottom)).to eq({ "sum" => 5 })
      expect(task.engine.audit_verify.ok).to be(true)
    end
  end

  it "runs many tasks on many threads, each step once" do
    ran = Queue.new
    chain = workflow do
      step :a
      step :b, after: :a
      define_method(:a) { |ctx| (ran << ctx.idempotency_key) && nil }
      define_method(:b) { |ctx| (ran << ctx.idempotency_key) && nil }
    end
    tasks = Array.new(50) { chain.start(engine: engine) }
    worker = described_class.new(engine: engine, workflows: chain, threads: 6, batch: 3).start
    tasks.each { |task| task.wait(timeout: 30) }
    worker.stop
    keys = Array.new(ran.size) { ran.pop }
    expect(keys.size).to eq(100)
    expect(keys.uniq.size).to eq(100)
    expect(engine.worker_list).to eq([])
  end

  describe "exceptions" do
    it "retries with class, message and backtrace kept" do
      attempts = []
      type = one(retries: { attempts: 3, wait: 0.01 }) do |ctx|
        attempts << ctx.attempt
        raise IOError, "broken é" if ctx.attempt < 3

        "done"
      end
      task = finish(type)
      expect(attempts).to eq([1, 2, 3])
      expect(task.result(:a)).to eq("done")
      failed = finish(one { raise IOError, "broken é" }.tap { |other| other.workflow_name("other") }).step(:a)
      expect(failed).to have_attributes(state: :failed, error_class: "IOError", error_message: "broken é", attempt: 1)
      expect(failed.error_detail).to include("worker_spec.rb")
    end

    it "retries only what retry_on names, and never what discard_on names" do
      { EOFError => 2, KeyError => 1, FloatDomainError => 1 }.each do |error, attempts|
        type = one(retries: { attempts: 2, wait: 0 }, retry_on: [IOError, RangeError],
                   discard_on: FloatDomainError) { raise error, "x" }
        type.workflow_name(error.name.downcase)
        expect(finish(type).step(:a)).to have_attributes(state: :failed, attempt: attempts)
      end
    end

    it "tells the cause, too" do
      type = one do
        raise "inner"
      rescue StandardError
        raise "outer"
      end
      expect(finish(type).step(:a).error_detail).to match(/outer.*inner/m)
    end

    it "waits as long as RetryAfter asks" do
      type = one(retries: { attempts: 2, wait: 0 }) { |ctx| ctx.attempt > 1 || raise(Stepwell::RetryAfter, 0.3) }
      start = Process.clock_gettime(Process::CLOCK_MONOTONIC)
      expect(finish(type)).to be_succeeded
      expect(Process.clock_gettime(Process::CLOCK_MONOTONIC) - start).to be > 0.29
    end

    it "gives up when the handler does" do
      task = finish(one(retries: 5) { raise Stepwell::GiveUp, "no use" })
      expect(task.step(:a)).to have_attributes(state: :failed, attempt: 1, error_class: "Stepwell::GiveUp")
    end

    it "goes on with other branches" do
      type = workflow do
        step :bad
        step :good
        step :after_bad, after: :bad
        step :after_good, after: :good
        def bad(_) = raise("x")
        def good(_) = 1
        def after_bad(_) = 1
        def after_good(_) = 2
      end
      task = finish(type)
      expect(task).to be_failed
      expect(task.result(:after_good)).to eq(2)
      expect(task.step(:after_bad).state).not_to eq(:succeeded)
    end
  end

  describe "handlers that misbehave harm their own step only" do
    hostile_error = Class.new(StandardError) do
      def message = raise("no message")
      def backtrace = raise("no backtrace")
    end
    binary_error = Class.new(StandardError) { define_method(:message) { "\xff\xfe".b * 10_000 } }
    misdeeds = {
      "exit" => [proc { exit 3 }, "SystemExit"],
      "abort" => [proc { $stderr = StringIO.new and abort("x") }, "SystemExit"],
      "throw" => [proc { throw :out }, "UncaughtThrowError"],
      "a missing method body" => [proc { raise NotImplementedError }, "NotImplementedError"],
      "endless recursion" => [proc { define_singleton_method(:deep) { deep } && deep }, "SystemStackError"],
      "a NoMemoryError" => [proc { raise NoMemoryError }, "NoMemoryError"],
      "Interrupt" => [proc { raise Interrupt }, "Interrupt"],
      "Exception itself" => [proc { raise Exception, "x" }, "Exception"],
      "ending its thread" => [proc { Thread.exit }, "ThreadError"],
      "killing its thread" => [proc { Thread.current.kill }, "ThreadError"],
      "an exception that cannot be read" => [proc { raise hostile_error }, nil],
      "an exception with a binary message" => [proc { raise binary_error }, nil],
      "an anonymous exception class" => [proc { raise Class.new(StandardError) }, nil]
    }
    misdeeds.each do |name, (body, error)|
      it "by #{name}" do
        type = workflow do
          step :bad
          step :good
          define_method(:bad) { |_ctx| instance_exec(&body) }
          define_method(:good) { |_ctx| "fine" }
        end
        stderr = $stderr
        task = finish(type, threads: 1)
        $stderr = stderr
        expect(task.step(:bad)).to have_attributes(state: :failed)
        expect(task.step(:bad).error_class).to eq(error) if error
        expect(task.step(:bad).error_message).to be_valid_encoding
        expect(task.result(:good)).to eq("fine")
      ensure
        $stderr = stderr
      end
    end

    it "by forking and coming back from it as the child" do
      skip "AddressSanitizer leaves its allocator locked in a forked child" if ENV["LD_PRELOAD"].to_s.include?("libasan")
      task = finish(one { fork ? "parent" : "child" })
      expect(task.result(:a)).to eq("parent")
      Process.waitall
    end
  end

  describe "results that are not JSON" do
    cyclic = [].tap { |array| array << array }
    { "NaN" => Float::NAN, "an Object" => Object.new, "invalid UTF-8" => "\xff", "bytes" => "\xff".b,
      "a cyclic Array" => cyclic, "a Time" => Time.at(0), "a Hash with a nil key" => { nil => 1 } }.each do |name, value|
      it "fails the step for good: #{name}" do
        task = finish(one(retries: 3) { value })
        expect(task.step(:a)).to have_attributes(state: :failed, attempt: 1, error_class: "Stepwell::ResultError")
        expect(task.step(:a).error_message).to match(/#a returned \$/)
      end
    end

    it "fails the step for good: more bytes than the engine takes" do
      small = open_engine(:sqlite, payload_max: 1000)
      type = workflow do
        step :big
        step :small
        def big(_) = "x" * 2000
        def small(_) = "x"
      end
      task = finish(type, small, threads: 1, batch: 2)
      expect(task.step(:big)).to have_attributes(state: :failed, error_class: "Stepwell::LimitError")
      expect(task.result(:small)).to eq("x")
    end
  end

  it "takes handlers by name, for steps declared elsewhere" do
    engine.register(definition({ "a" => { "retry" => { "max_attempts" => 2, "base_ms" => 0 } } }))
    task = engine.start("w", { "n" => 2 })
    handler = ->(ctx) { ctx.attempt == 1 ? raise("again") : ctx.input[:n] * 2 }
    described_class.new(engine: engine, handlers: { "w.a" => handler }).run(until: task)
    expect(task.result(:a)).to eq(4)
    expect { described_class.new(engine: engine, handlers: { "w.a" => 1 }) }
      .to raise_error(Stepwell::InvalidArgumentError, /w.a must respond to call/)
  end

  it "claims only the handlers of its workflows" do
    mixed = workflow do
      step :mine
      step :theirs, handler: "other.theirs"
      def mine(_) = 1
    end
    task = mixed.start(engine: engine)
    worker = described_class.new(engine: engine, workflows: [mixed]).start
    eventually { task.step(:mine).state == :succeeded }
    worker.stop
    expect(task.step(:theirs).state).to eq(:ready)
    expect(task.reasons(:theirs).map(&:reason)).to eq([:missing_handler])
  end

  it "claims only from its queues" do
    type = workflow do
      step :here, queue: :fast
      step :there, queue: :slow
      def here(_) = 1
      def there(_) = 1
    end
    task = type.start(engine: engine)
    worker = described_class.new(engine: engine, workflows: [type], queues: [:fast]).start
    eventually { task.step(:here).state == :succeeded }
    worker.stop
    expect(task.step(:there).state).to eq(:ready)
  end

  it "refuses what cannot work" do
    nothing = workflow { step :a, handler: "x.y" }
    expect { described_class.new(engine: engine, workflows: []) }.to raise_error(Stepwell::InvalidArgumentError)
    expect { described_class.new(engine: engine, workflows: [nothing]) }.to raise_error(Stepwell::InvalidArgumentError)
    twice = [one { 1 }, one { 2 }]
    expect { described_class.new(engine: engine, workflows: twice) }
      .to raise_error(Stepwell::InvalidArgumentError, /both handle w.a/)
    expect { described_class.new(engine: engine, workflows: [one { 1 }], threads: 0) }
      .to raise_error(Stepwell::InvalidArgumentError, /threads/)
    expect { described_class.new(engine: engine, workflows: [workflow { step :a }]) }
      .to raise_error(Stepwell::InvalidArgumentError, /no method a/)
  end

  describe "leases" do
    it "are renewed while a handler runs longer than one" do
      task = finish(one { sleep(0.9) || "done" }, lease: 0.3)
      expect(task.step(:a)).to have_attributes(state: :succeeded, attempt: 1)
    end

    it "tell a handler that its step was cancelled" do
      started = Queue.new
      noticed = Queue.new
      type = one do |ctx|
        started << true
        sleep 0.01 until ctx.cancelled?
        noticed << true
      end
      task = type.start(engine: engine)
      worker = described_class.new(engine: engine, workflows: [type], lease: 0.3).start
      started.pop
      task.cancel!
      expect(noticed.pop).to be(true)
      worker.stop
      expect(task.status).to eq(:cancelled)
    end

    it "are kept while a handler holds the lock of the VM" do
      usleep = Fiddle::Function.new(Fiddle::Handle::DEFAULT["usleep"], [Fiddle::TYPE_INT], Fiddle::TYPE_INT, need_gvl: true)
      store = engine
      task = finish(one { usleep.call(900_000) && store.worker_list.map(&:alive) }, lease: 0.3)
      expect(task.result(:a)).to eq([true])
    end

    it "replace the thread of a handler that never returns" do
      type = workflow do
        step :hung, timeout: 0.1
        step :next, after: :hung
        step :other
        def hung(_) = sleep
        def next(_) = 1
        def other(_) = "fine"
      end
      task = type.start(engine: engine)
      worker = described_class.new(engine: engine, workflows: [type], threads: 1, lease: 0.3).start
      expect(task.wait(timeout: 20).result(:other)).to eq("fine")
      expect(task.step(:hung).state).to eq(:failed)
      threads = Thread.list.size
      worker.stop(grace: 0)
      expect(Thread.list.size).to be < threads
    end

    it "of a worker that the store forgot are opened again" do
      type = one { "done" }
      worker = described_class.new(engine: engine, workflows: [type], lease: 0.3).start
      first = worker.id
      engine.worker_close(first)
      task = type.start(engine: engine)
      expect(task.wait(timeout: 20)).to be_succeeded
      expect(worker.id).not_to eq(first)
      worker.stop
    end
  end

  describe "#stop" do
    it "lets a running handler finish within the grace" do
      started = Queue.new
      task = (type = one { (started << true) && sleep(0.2) && "done" }).start(engine: engine)
      worker = described_class.new(engine: engine, workflows: [type]).start
      started.pop
      worker.stop
      expect(task.result(:a)).to eq("done")
      expect(worker).not_to be_running
    end

    it "releases what does not finish, without counting an attempt" do
      started = Queue.new
      ensured = Queue.new
      type = one do
        started << true
        sleep
      ensure
        ensured << true
      end
      task = type.start(engine: engine)
      worker = described_class.new(engine: engine, workflows: [type]).start
      started.pop
      worker.stop(grace: 0.05)
      expect(task.step(:a)).to have_attributes(state: :ready, attempt: 0)
      expect(ensured.size).to eq(1)
      expect(engine.worker_list).to eq([])
    end

    it "stops at once when idle, leaves no thread, and may start again" do
      type = one { "done" }
      worker = described_class.new(engine: engine, workflows: [type], threads: 3)
      threads = Thread.list.size
      3.times do
        start = Process.clock_gettime(Process::CLOCK_MONOTONIC)
        worker.start
        expect { worker.start }.to raise_error(Stepwell::IllegalTransitionError)
        worker.stop
        worker.stop
        expect(Process.clock_gettime(Process::CLOCK_MONOTONIC) - start).to be < 2
      end
      eventually { Thread.list.size == threads }
      expect(finish(type)).to be_succeeded
    end
  end

  it "ends with the error that made it impossible to go on" do
    type = one { 1 }
    worker = described_class.new(engine: engine, workflows: [type])
    Thread.new { sleep(0.1) && engine.close }
    expect { worker.run }.to raise_error(Stepwell::ClosedError)
  end

  it "ends when a part of it breaks, instead of going on in silence" do
    worker = described_class.new(engine: engine, workflows: [type = one { 1 }])
    allow(worker).to receive(:attempt).and_raise("broken")
    type.start(engine: engine)
    expect { worker.run }.to raise_error(RuntimeError, "broken")
    expect(worker.failure.message).to eq("broken")
  end

  it "goes on without a logger that fails" do
    logger = Class.new { %i[warn error].each { |level| define_method(level) { |_| raise "the log is full" } } }.new
    type = one { 1 }
    worker = described_class.new(engine: engine, workflows: [type], logger: logger, lease: 0.3).start
    engine.worker_close(worker.id)
    expect(type.start(engine: engine).wait(timeout: 20)).to be_succeeded
    worker.stop
  end

  it "tells its logger what it survived" do
    log = []
    logger = Class.new { define_method(:warn) { |text| log << text } }.new
    busy = true
    allow(engine).to receive(:exchange).and_wrap_original do |original, *arguments|
      busy ? (busy = false) || raise(Stepwell::BusyError, "locked") : original.call(*arguments)
    end
    type = one { 1 }
    task = type.start(engine: engine)
    described_class.new(engine: engine, workflows: [type], threads: 1, logger: logger).run(until: task)
    expect(log.first).to match(/stepwell worker \d+: Stepwell::BusyError: locked/)
  end
end
