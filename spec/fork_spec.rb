# frozen_string_literal: true

require_relative "spec_helper"

# A handle that was opened before a fork: refused in the child, unharmed in the parent.
RSpec.describe "fork" do
  # Run the block in a child; the example fails when it answers false, raises or hangs.
  def in_child
    pid = fork do
      $stderr.reopen(File::NULL) if ENV["CI"]
      Process.exit!(yield ? 0 : 1)
    rescue Exception => e # a child must never go on with the examples of its parent
      warn "child: #{e.full_message}"
      Process.exit!(2)
    end
    processes << pid
    expect(end_of(pid)).to be_success
  end

  STORES.each do |store|
    context "with the #{store} store" do
      let(:engine) { open_engine(store) }

      it "refuses every call in the child" do
        id = submit(engine)
        row = claim(engine).first
        worker = @worker_id
        calls = {
          info: [], submit: [[{ workflow: "w" }]], get: [id], wait: [id, 0], list: [], count: [],
          cancel: [[[id, nil, nil]]], exchange: [worker, [], 1, 0],
          update_batch: [[[row.step_id, row.epoch, :succeeded]]], explain: [id], task_context: [[id]], step_readiness: [id],
          picture: [id], gantt: [id], durations: ["w"], forecast: [id],
          override: [[[row.step_id, :cancelled, "ann", "why"]]],
          breaker_list: [], breaker_override: [[]],
          dead_list: [], dead_count: [], dead_override: [:ready, "ann", "why"], worker_renew: [worker, []], heartbeat: [[[row.step_id, row.epoch]]], worker_keep: [worker],
          task_prune: [1], worker_close: [worker], worker_list: [], audit_verify: [], audit_task: [id], audit_list: [1, 1], task_erase: %w[a b c], audit_search: [], audit_count: [], audit_dump: [:csv], audit_seal: ["/no/key"], audit_rotate: ["/no/key", "/no/next"], audit_anchor_put: ["file:/no/folder/a", "b", ["c"]], audit_prove: ["x", [1]],
          audit_prove_consistency: ["x", "y"], audit_export: ["/no/folder", "x"], task_export: [id],
          control_report: [:json, [], nil, nil, ["x"], ["y"]],
          event_append: [[[id, "note"]]], event_list: [], event_wait: [0, 0], event_replay: [id],
          projection_open: %w[p 1], projection_save: ["p", 1, 0, 1, "{}"], projection_list: [], projection_delete: ["p"],
          workflow: ["w"], register_text: ['{"stepwell":1,"name":"w","steps":[{"name":"a"}]}']
        }
        in_child do
          calls.all? do |name, arguments|
            engine.public_send(name, *arguments)
            warn "#{name} went through"
            false
          rescue Stepwell::ForkedEngineError
            true
          end && open_worker_refused?
        end
        expect(engine.update_batch([[row.step_id, row.epoch, :succeeded]]).first).to be_applied
        expect(engine.audit_verify.ok).to be(true)
      end

      def open_worker_refused?
        engine.worker_open(handlers: ["w.a"])
        false
      rescue Stepwell::ForkedEngineError
        true
      end

      it "lets the child close and collect it without harm to the parent" do
        id = submit(engine)
        in_child do
          engine.close
          engine.closed?
        end
        in_child do
          engines.clear
          remove_instance_variable(:@__memoized) if instance_variable_defined?(:@__memoized)
          GC.start
          true
        end
        expect(engine.get(id).state).to eq(:pending)
        expect(engine.audit_verify.ok).to be(true)
      end

      it "is safe while other threads are inside the core" do
        worker = engine.worker_open(handlers: ["w.a"])
        engine.register(definition({ "a" => {} }))
        stop = false
        busy = Array.new(2) do
          Thread.new { engine.submit([{ workflow: "w" }]) && engine.exchange(worker, [], 1, 1) until stop }
        end
        20.times do
          in_child do
            engine.info
            false
          rescue Stepwell::ForkedEngineError
            engine.close
            true
          end
        end
        stop = true
        busy.each(&:join)
        expect(engine.audit_verify.ok).to be(true)
      end
    end
  end

  it "leaves the database to a child that opens its own engine" do
    engine = open_engine(:sqlite)
    id = submit(engine)
    path = File.join(directory, "sqlite.db")
    in_child do
      Stepwell::Engine.open(path) do |own|
        row = claim(own).first
        own.update_batch([[row.step_id, row.epoch, :succeeded]])
      end
      true
    end
    expect(engine.wait(id, 5000).state).to eq(:succeeded)
    expect(engine.audit_verify.ok).to be(true)
  end

  it "leaves a running worker to the parent" do
    engine = open_engine(:sqlite)
    type = Class.new(Stepwell::Workflow) do
      workflow_name "w"
      step :a
      def a(_) = sleep(0.3)
    end
    task = type.start(engine: engine)
    worker = Stepwell::Worker.new(engine: engine, workflows: type).start
    eventually { task.step(:a).state == :running }
    in_child do
      worker.stop
      Stepwell::Worker::Exit.send(:stop_all)
      !worker.running?
    end
    expect(worker).to be_running
    expect(task.wait(timeout: 10)).to be_succeeded
    worker.stop
  end

  describe "the default engine" do
    after { Stepwell.configure("memory:") }

    it "is opened again in a child" do
      Stepwell.configure(File.join(directory, "default.db"))
      id = submit(Stepwell.engine)
      in_child { Stepwell.engine.get(id).state == :pending }
      expect(Stepwell.engine.get(id).state).to eq(:pending)
    end

    it "says that a memory store cannot be" do
      Stepwell.configure("memory:")
      Stepwell.engine.info
      in_child do
        Stepwell.engine
        false
      rescue Stepwell::ForkedEngineError
        true
      end
    end

    it "is opened once, and again after it was closed" do
      Stepwell.configure("memory:")
      first = Stepwell.engine
      expect(Stepwell.engine).to be(first)
      first.close
      expect(Stepwell.engine).not_to be(first)
      Stepwell.configure(File.join(directory, "other.db"))
      expect(Stepwell.engine.info.sqlite).to be(true)
    end

    it "asks to be configured" do
      script = "begin; Stepwell.engine; rescue Stepwell::InvalidArgumentError => e; exit e.message.include?('configure'); end"
      expect(end_of(start_ruby(script))).to be_success
    end
  end
end
