# frozen_string_literal: true

require_relative "spec_helper"

# Steps with heartbeat: - what ends an attempt that says nothing, what keeps one, and what a handler
# learns. The rules of the engine are in tests/unit/test_engine_heartbeat.c.
RSpec.describe "heartbeats" do
  let(:engine) { open_engine }

  def one(**options, &handler)
    Class.new(Stepwell::Workflow) do
      workflow_name "w"
      step :a, **options
      define_method(:a) { |ctx| instance_exec(ctx, &handler) }
    end
  end

  def finish(type, store = engine)
    task = type.start(engine: store)
    Stepwell::Worker.new(engine: store, workflows: [type], threads: 2, lease: 0.3).run(until: task)
    task
  end

  # A claimed attempt of a step, with its context.
  def attempt(type, store = engine)
    type.register(engine: store)
    type.start(engine: store)
    worker = store.worker_open(handlers: ["w.a"])
    claim = store.exchange(worker, [], 1, 0).claims.first
    Stepwell::Context.new(claim, store)
  end

  def clock
    Process.clock_gettime(Process::CLOCK_MONOTONIC)
  end

  def beat_for(seconds, context)
    ends = clock + seconds
    context.heartbeat || sleep(0.005) while clock < ends
  end

  STORES.each do |store|
    it "end an attempt that hangs, and what it says later changes nothing on #{store}" do
      raised = Queue.new
      type = one(heartbeat: 0.2, timeout: 3600, retries: { attempts: 2, wait: 0.01 }) do |ctx|
        next "second" if ctx.attempt == 2

        sleep 0.01 until ctx.cancelled?
        begin
          ctx.heartbeat
        rescue Stepwell::FencedError => e
          raised << e.message
        end
        "late"
      end
      task = finish(type, open_engine(store))
      expect(task.step(:a)).to have_attributes(state: :succeeded, attempt: 2, error_class: "HeartbeatMissed",
                                               error_message: "no heartbeat within 200 ms")
      expect(task.result(:a)).to eq("second")
      expect(raised.pop(timeout: 10)).to match(/\Aattempt 1 of a counts no longer/)
      expect(task.history.map(&:reason)).to include("heartbeat missed")
      expect(task.engine.audit_verify.ok).to be(true)
    end

    it "keep an attempt for longer than it may be silent on #{store}" do
      spec = self
      task = finish(one(heartbeat: 0.3) { |ctx| spec.beat_for(1.5, ctx) || "done" }, open_engine(store))
      expect(task.step(:a)).to have_attributes(state: :succeeded, attempt: 1)
      expect(task.result(:a)).to eq("done")
    end
  end

  it "are written three times in the time that an attempt may be silent, however often they are sent" do
    context = attempt(one(heartbeat: 0.6) { nil })
    sent = []
    allow(engine).to(receive(:heartbeat).and_wrap_original { |send, rows| send.call(sent.push(rows).last) })
    beat_for(0.15, context)
    expect(sent).to be_empty
    beat_for(0.85, context)
    expect(sent.size).to be_between(2, 5)
    expect(sent.first).to eq([[context.claim.step_id, context.claim.epoch]])
  end

  it "tell a handler of a cancellation before its lease is renewed" do
    context = attempt(one(heartbeat: 0.03) { nil })
    expect(context.heartbeat).to be_nil
    Stepwell::Task.new(engine, context.task_id).cancel!
    sleep 0.02
    expect { context.heartbeat }.to raise_error(Stepwell::FencedError)
    expect(context).to be_cancelled
    expect { context.heartbeat }.to raise_error(Stepwell::FencedError)
  end

  it "cost a step without heartbeat: nothing but a look, and tell it what is known" do
    context = attempt(one { nil })
    allow(engine).to receive(:heartbeat)
    expect(context.claim.heartbeat_ms).to be_nil
    expect(context.heartbeat).to be_nil
    context.cancel
    expect { context.heartbeat }.to raise_error(Stepwell::FencedError)
    expect(engine).not_to have_received(:heartbeat)
  end

  [Stepwell::BusyError, Stepwell::StorageError, Stepwell::StorageFullError, NoMemoryError].each do |error|
    it "do not fail a handler when the store cannot write for a while (#{error})" do
      context = attempt(one(heartbeat: 0.03) { nil })
      allow(engine).to receive(:heartbeat).and_raise(error, "for now")
      sleep 0.02
      expect(context.heartbeat).to be_nil
      expect(engine).to have_received(:heartbeat).once
      sleep 0.02
      expect(context.heartbeat).to be_nil
      expect(engine).to have_received(:heartbeat).twice
    end
  end

  it "raise what no waiting mends" do
    context = attempt(one(heartbeat: 0.003) { nil })
    engine.close
    sleep 0.01
    expect { context.heartbeat }.to raise_error(Stepwell::ClosedError)
  end

  it "are sent for several attempts in one call" do
    type = one(heartbeat: 60) { nil }
    held = Array.new(2) { attempt(type).claim }.map { |claim| [claim.step_id, claim.epoch] }
    stale = [held[0][0], held[0][1] + 1]
    answer = engine.heartbeat([*held, stale])
    expect(answer.map(&:status)).to eq(%i[applied applied fenced])
    expect(answer.map(&:state)).to eq(%i[running running running])
    expect { engine.heartbeat([held[0], [held[0][0], -1]]) }
      .to raise_error(Stepwell::InvalidArgumentError) { |error| expect(error.row).to eq(1) }
    expect { engine.heartbeat([held[0], [held[1][0] + 1, 1]]) }
      .to raise_error(Stepwell::NotFoundError) { |error| expect(error.row).to eq(1) }
    expect(engine.heartbeat([])).to eq([])
  end

  it "are part of the definition, and refused where nobody could send them" do
    expect(one(heartbeat: 2.5) { nil }.definition["steps"]).to eq([{ "name" => "a", "handler" => "w.a",
                                                                     "heartbeat_ms" => 2500 }])
    built_in = Class.new(Stepwell::Workflow) do
      workflow_name "w"
      step :a, kind: :noop, heartbeat: 1
    end
    expect { built_in.register(engine: engine) }.to raise_error(Stepwell::DefinitionError, /sends no heartbeats/)
    expect { one(heartbeat: "1") { nil } }.to raise_error(Stepwell::InvalidArgumentError, /heartbeat: must be seconds/)
  end
end
