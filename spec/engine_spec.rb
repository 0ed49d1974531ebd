# frozen_string_literal: true

require_relative "spec_helper"

# Stepwell::Engine, method by method, on both stores.
RSpec.describe Stepwell::Engine do
  STORES.each do |store|
    context "with the #{store} store" do
      let(:engine) { open_engine(store) }

      describe "#register" do
        it "answers name, version, digest and canonical JSON" do
          found = engine.register(definition({ "a" => {} }, version: "2"))
          expect(found).to have_attributes(name: "w", version: "2", digest: /\A\h{64}\z/, findings: [])
          expect(JSON.parse(found.json)).to include("name" => "w")
          expect(engine.workflow("w")).to have_attributes(digest: found.digest, version: "2")
        end

        it "takes JSON and YAML text" do
          json = engine.register('{"stepwell": 1, "name": "w", "steps": [{"name": "a"}]}')
          yaml = engine.register("stepwell: 1\nname: w\nsteps:\n  - name: a\n")
          expect(yaml.digest).to eq(json.digest)
        end

        it "reports all findings with their place" do
          text = "stepwell: 1\nname: w\nsteps:\n  - name: a\n    after: [b]\n  - name: c\n    timeout_ms: soon\n"
          expect { engine.register(text, source: "w.yaml") }.to raise_error(Stepwell::DefinitionError) { |error|
            expect(error.code).to eq(:EDEFINITION)
            expect(error.message).to start_with("w.yaml:5:")
            expect(error.findings.map { |finding| finding.values_at(:severity, :line) }).to eq([[:error, 5], [:error, 7]])
            expect(error.findings).to all(include(:column, :path, :message)).and all(be_frozen)
          }
        end

        it "takes unknown keys as warnings, or as errors when strict" do
          odd = definition({ "a" => { "colour" => "red" } })
          expect(engine.register(odd).findings).to contain_exactly(include(severity: :warning))
          expect { engine.register(odd, strict: true) }.to raise_error(Stepwell::DefinitionError)
        end

        it "does not know a name that was never registered" do
          expect { engine.workflow("other") }.to raise_error(Stepwell::NotFoundError) { |error|
            expect(error.code).to eq(:ENOTFOUND)
          }
        end
      end

      describe "#submit" do
        it "starts tasks in one transaction and keeps what is said about them" do
          id = submit(engine, input_json: '{"n":1}', key: "k", initiator: "ann", reason: "test",
                              correlation_id: "c-1", tags: %w[red blue], priority: 3)
          expect(engine.get(id)).to have_attributes(
            task_id: id, workflow: "w", input: { "n" => 1 }, key: "k", initiator: "ann", reason: "test",
            correlation_id: "c-1", priority: 3, state: :pending, step_count: 1, finished_us: nil
          )
          expect(engine.get(id).tags).to match_array(%w[red blue])
        end

        it "answers the same task for the same key" do
          first = submit(engine, key: "k")
          again = engine.submit([{ workflow: "w", key: "k" }]).first
          expect(again).to have_attributes(task_id: first, created: false)
          expect { engine.submit([{ workflow: "w", key: "k", input_json: "2" }]) }
            .to raise_error(Stepwell::ConflictError) { |error| expect(error.row).to eq(0) }
        end

        it "names the row that is to blame and writes nothing" do
          engine.register(definition({ "a" => {} }))
          expect { engine.submit([{ workflow: "w" }, { workflow: "other" }]) }
            .to raise_error(Stepwell::NotFoundError) { |error| expect(error.row).to eq(1) }
          expect(engine.count.values.sum).to eq(0)
        end

        it "refuses an input that is not JSON" do
          engine.register(definition({ "a" => {} }))
          expect { engine.submit([{ workflow: "w", input_json: "{" }]) }
            .to raise_error(Stepwell::InvalidArgumentError) { |error| expect(error.row).to eq(0) }
        end

        it "refuses unknown keys" do
          expect { engine.submit([{ workflow: "w", colour: "red" }]) }
            .to raise_error(Stepwell::InvalidArgumentError, /unknown key colour/)
        end
      end

      describe "#exchange" do
        it "claims, reports and claims what became ready, in the same call" do
          id = submit(engine, { "a" => {}, "b" => { "after" => ["a"], "parameters" => { "x" => 1 } } },
                      input_json: '{"n":1}', correlation_id: "c")
          first = claim(engine, "w.a", "w.b").first
          expect(first).to have_attributes(task_id: id, step: "a", handler: "w.a", workflow: "w", attempt: 1,
                                           input: { "n" => 1 }, parameters: {}, correlation_id: "c", inputs: [])

          answer = engine.exchange(@worker_id, [[first.step_id, first.epoch, :succeeded, '{"r":2}']], 1, 0)
          expect(answer.applied).to contain_exactly(have_attributes(status: :applied, state: :succeeded))
          second = answer.claims.first
          expect(second).to have_attributes(step: "b", parameters: { "x" => 1 })
          expect(second.inputs).to contain_exactly(have_attributes(step: "a", result: { "r" => 2 }, state: :succeeded))

          answer = engine.exchange(@worker_id, [[second.step_id, second.epoch, :succeeded]], 1, 0)
          expect(answer.finished).to contain_exactly(have_attributes(task_id: id, state: :succeeded))
          expect(engine.get(id)).to have_attributes(state: :succeeded, step_counts: { succeeded: 2 })
        end

        it "answers with frozen rows only" do
          submit(engine, input_json: '"x"')
          row = claim(engine).first
          expect(row).to be_frozen
          expect(row.to_a.grep(String)).to all(be_frozen)
          expect { row.step = "other" }.to raise_error(FrozenError)
        end

        it "waits for work that another thread brings" do
          engine.register(definition({ "a" => {} }))
          worker = engine.worker_open(handlers: ["w.a"])
          thread = Thread.new { engine.exchange(worker, [], 1, 10_000) }
          sleep 0.05
          engine.submit([{ workflow: "w" }])
          expect(thread.value.claims.size).to eq(1)
        end

        it "ends early when woken" do
          worker = engine.worker_open(handlers: ["w.a"])
          start = Process.clock_gettime(Process::CLOCK_MONOTONIC)
          thread = Thread.new { engine.exchange(worker, [], 1, 10_000) }
          engine.wake while thread.join(0.02).nil?
          expect(thread.value.claims).to eq([])
          expect(Process.clock_gettime(Process::CLOCK_MONOTONIC) - start).to be < 5
        end

        it "knows no closed worker" do
          worker = engine.worker_open(handlers: ["w.a"])
          engine.worker_close(worker)
          expect { engine.exchange(worker, [], 1, 0) }.to raise_error(Stepwell::NotFoundError) { |error|
            expect(error.row).to be_nil
          }
        end

        it "names the row whose result is not JSON and writes nothing" do
          submit(engine, { "a" => {}, "b" => {} })
          rows = claim(engine, "w.a", "w.b").map { |row| [row.step_id, row.epoch, :succeeded, "1"] }
          rows[1][3] = "nope"
          expect { engine.exchange(@worker_id, rows, 0, 0) }
            .to raise_error(Stepwell::InvalidArgumentError) { |error| expect(error.row).to eq(1) }
          expect(engine.worker_list.sum(&:held)).to eq(2)
        end
      end

      describe "#update_batch" do
        it "retries a failed attempt after its wait, and not before what the handler asked for" do
          id = submit(engine, { "a" => { "retry" => { "max_attempts" => 2, "base_ms" => 1, "jitter" => 0 } } })
          row = claim(engine).first
          report = [row.step_id, row.epoch, :failed, nil, "Oops", "message", "detail", 60_000]
          applied = engine.update_batch([report]).first
          expect(applied).to have_attributes(status: :applied, state: :ready)
          expect(applied.not_before_us - engine.info.now_us).to be_within(5_000_000).of(60_000_000)
          expect(engine.get(id).step("a")).to have_attributes(
            error_class: "Oops", error_message: "message", error_detail: "detail", attempt: 1
          )
        end

        it "fences a report of an older attempt" do
          submit(engine)
          row = claim(engine).first
          engine.update_batch([[row.step_id, row.epoch, :released]])
          newer = claim(engine).first
          expect(newer.epoch).to be > row.epoch
          expect(engine.update_batch([[row.step_id, row.epoch, :succeeded]]).first).to be_fenced
          expect(engine.update_batch([[newer.step_id, newer.epoch, :succeeded]]).first).to be_applied
        end

        it "takes outcomes as numbers, too" do
          submit(engine)
          row = claim(engine).first
          number = Stepwell::OUTCOMES.index(:failed_for_good)
          expect(engine.update_batch([[row.step_id, row.epoch, number]]).first.state).to eq(:failed)
        end
      end

      describe "#worker_renew, #worker_keep, #worker_close and #worker_list" do
        it "keeps a lease that nobody renews" do
          kept, _silent = Array.new(2) { engine.worker_open(handlers: ["w.a"], lease_ms: 200) }
          expect(engine.worker_keep(kept)).to be_nil
          sleep 0.5
          expect(engine.worker_list.select(&:alive).map(&:worker_id)).to eq([kept])
          engine.worker_close(kept)
          expect { engine.worker_keep(kept) }.to raise_error(Stepwell::NotFoundError)
        end

        it "says which holds are lost" do
          id = submit(engine, { "a" => {}, "b" => {} })
          rows = claim(engine, "w.a", "w.b")
          holds = rows.map { |row| [row.step_id, row.epoch] }
          expect(engine.worker_renew(@worker_id, holds)).to eq([])
          engine.cancel([[id, "ann", "changed my mind"]])
          expect(engine.worker_renew(@worker_id, holds)).to match_array(holds)
        end

        it "gives held steps back without counting an attempt" do
          id = submit(engine)
          claim(engine)
          expect(engine.worker_list.first).to have_attributes(worker_id: @worker_id, held: 1, pid: Process.pid,
                                                              alive: true, handlers: ["w.a"])
          engine.worker_close(@worker_id)
          expect(engine.get(id).step("a")).to have_attributes(state: :ready, attempt: 0)
        end
      end

      describe "#wait" do
        it "answers when the task has ended" do
          id = submit(engine)
          thread = Thread.new { engine.wait(id, 10_000) }
          row = claim(engine).first
          engine.update_batch([[row.step_id, row.epoch, :succeeded, "1"]])
          expect(thread.value).to have_attributes(state: :succeeded)
        end

        it "raises when the time is over" do
          id = submit(engine)
          expect { engine.wait(id, 30) }.to raise_error(Stepwell::WaitTimeoutError)
        end

        it "is not ended by a wake meant for others" do
          id = submit(engine)
          thread = Thread.new { engine.wait(id, 300) }
          thread.report_on_exception = false
          5.times { engine.wake || sleep(0.01) }
          expect(thread.alive?).to be(true)
          expect { thread.join }.to raise_error(Stepwell::WaitTimeoutError)
        end
      end

      describe "#list and #count" do
        it "filters and pages, newest first" do
          ids = Array.new(3) { |i| submit(engine, tags: ["t#{i}"], correlation_id: "c") }
          expect(engine.list(workflow: "w").map(&:task_id)).to eq(ids.reverse)
          expect(engine.list(tag: "t1").map(&:task_id)).to eq([ids[1]])
          expect(engine.list(correlation_id: "c", limit: 1).map(&:task_id)).to eq([ids[2]])
          expect(engine.list(before: ids[1]).map(&:task_id)).to eq([ids[0]])
          expect(engine.list(state: :failed)).to eq([])
          created = ids.map { |id| engine.get(id).created_us }
          expect(engine.list(created_after_us: created.first).size).to eq(ids.size)
          expect(engine.list(created_after_us: created.last + 1)).to eq([])
          expect(engine.count(created_before_us: created.first).values.sum).to eq(0)
          expect(engine.tasks(created_after: Time.at(0), created_before: Time.now + 3600).size).to eq(ids.size)
          expect(engine.list.first.steps).to be_nil
          expect(engine.count(workflow: "w")).to include(pending: 3, failed: 0)
        end
      end

      describe "parents" do
        let!(:parent) { submit(engine) }

        def parented(**row)
          engine.submit([{ workflow: "w", **row }]).first.task_id
        end

        it "finds what a task has started" do
          first = parented(parent: parent, tags: ["red"])
          second = parented(parent: engine.task(parent))
          expect(engine.list(parent: parent).map(&:task_id)).to eq([second, first])
          expect(engine.list(parent: engine.task(parent), tag: "red").map(&:task_id)).to eq([first])
          expect(engine.list(parent: parent, before: second, limit: 5).map(&:parent_id)).to eq([parent])
          expect(engine.tasks(parent: parent).map(&:id)).to eq([second, first])
          expect(engine.count(parent: parent)).to include(pending: 2)
          expect(engine.count(parent: first).values.sum).to eq(0)
          expect(engine.task(first)).to have_attributes(parent_id: parent)
          expect(engine.get(first).tags).to eq(["red", "parent:#{parent}"])
          expect(engine.get(parent).parent_id).to be_nil
          expect(engine.list(parent: nil).size).to eq(3)
          expect(engine.get(parented(parent: nil)).tags).to eq([])
        end

        it "refuses a parent that is none, with its row" do
          nobody = "01920000-0000-7000-8000-000000000000"
          expect { engine.submit([{ workflow: "w" }, { workflow: "w", parent: nobody }]) }
            .to raise_error(Stepwell::NotFoundError, /to be the parent/) { |error| expect(error.row).to eq(1) }
          expect { parented(tags: ["parent:order-7"]) }.to raise_error(Stepwell::InvalidArgumentError, /must name a task/)
          expect { parented(tags: ["parent:#{parent}"], parent: parented) }
            .to raise_error(Stepwell::InvalidArgumentError, /two parents/)
          expect { parented(parent: 7) }.to raise_error(TypeError, /parent/)
          expect { parented(parent: "x") }.to raise_error(Stepwell::InvalidArgumentError, /parent is not a UUID/)
          expect { engine.list(parent: "x") }.to raise_error(Stepwell::InvalidArgumentError, /parent is not a UUID/)
          expect(engine.count.values.sum).to eq(2)
        end
      end

      describe "#cancel" do
        it "cancels what has not ended and refuses what has" do
          id = submit(engine, { "a" => {}, "b" => { "after" => ["a"] } })
          expect(engine.cancel([[id, "ann", "why"]])).to be_nil
          expect(engine.get(id)).to have_attributes(state: :cancelled, step_counts: { cancelled: 2 })
          expect { engine.cancel([[id, "ann", "again"]]) }
            .to raise_error(Stepwell::IllegalTransitionError) { |error| expect(error.row).to eq(0) }
        end
      end

      describe "#explain" do
        it "says why a step does not run" do
          id = submit(engine, { "a" => {}, "b" => { "after" => ["a"] } })
          reason = engine.explain(id, :b).first
          expect(reason).to have_attributes(step: "b", state: :pending, reason: :open_dependency, subject: "a")
          expect(engine.explain(id).map(&:step)).to eq(%w[a b])
        end
      end

      describe "the audit log" do
        it "verifies, and tells a task's history" do
          id = submit(engine)
          row = claim(engine).first
          engine.update_batch([[row.step_id, row.epoch, :succeeded, "1"]])
          expect(engine.audit_verify).to have_attributes(ok: true, commit_count: 1, head: /\A\h{64}\z/)
          moves = engine.audit_task(id).select { |entry| entry.kind == :step_changed }
          expect(moves.map { |entry| [entry.step, entry.from, entry.to, entry.attempt] })
            .to eq([["a", :ready, :running, 1], ["a", :running, :succeeded, 1]])
          all = engine.audit_list(1, 100)
          expect(all.map(&:entry_no)).to eq((1..all.size).to_a)
          expect(all.map(&:kind)).to include(:workflow_registered, :task_submitted, :worker_opened, :task_changed)
        end
      end

      it "describes itself" do
        expect(engine.info).to have_attributes(sqlite: store == :sqlite,
                                               durability: store == :sqlite ? :strict : :memory)
        expect(engine.info.now_us).to be_within(60_000_000).of(Time.now.to_f * 1_000_000)
      end
    end
  end

  describe "opening and closing" do
    it "closes at the end of a block" do
      kept = described_class.open("memory:") { |engine| engine }
      expect(kept).to be_closed
    end

    it "takes paths and URLs" do
      path = File.join(directory, "p.db")
      described_class.open(Pathname(path)) { |engine| engine.register(definition({ "a" => {} })) }
      described_class.open("sqlite:///#{path}", must_exist: true, durability: :relaxed) do |engine|
        expect(engine.workflow("w").name).to eq("w")
        expect(engine.info.durability).to eq(:relaxed)
      end
    end

    it "refuses what is no database of its own" do
      File.write(File.join(directory, "text.db"), "hello " * 1000)
      expect { described_class.open(File.join(directory, "text.db")) }
        .to raise_error(Stepwell::ForeignDatabaseError)
      expect { described_class.open(File.join(directory, "none.db"), must_exist: true) }
        .to raise_error(Stepwell::NotFoundError)
      expect { described_class.open(File.join(directory, "none", "x.db")) }.to raise_error(Stepwell::Error)
    end

    it "raises ClosedError afterwards, and closes twice" do
      engine = open_engine
      engine.close
      engine.close
      expect { engine.info }.to raise_error(Stepwell::ClosedError)
      expect { engine.wake }.to raise_error(Stepwell::ClosedError)
      expect(engine.inspect).to eq("#<Stepwell::Engine closed>")
    end

    it "ends the waits of other threads when closed" do
      engine = open_engine
      worker = engine.worker_open(handlers: ["w.a"])
      id = submit(engine)
      threads = [Thread.new { engine.exchange(worker, [], 0, nil) }, Thread.new { engine.wait(id, nil) }]
      threads.each { |thread| thread.report_on_exception = false }
      sleep 0.05
      engine.close
      threads.each { |thread| expect { thread.join }.to raise_error(Stepwell::ClosedError) }
    end

    it "cannot be copied, dumped or opened twice" do
      engine = open_engine
      expect { engine.dup }.to raise_error(NoMethodError)
      expect { Marshal.dump(engine) }.to raise_error(TypeError)
      expect { engine.send(:initialize, "memory:") }.to raise_error(Stepwell::IllegalTransitionError)
      expect { described_class.allocate.info }.to raise_error(Stepwell::ClosedError)
    end
  end

  describe "interrupts" do
    let(:engine) { open_engine }

    it "ends a wait on Timeout, Thread#raise and Thread#kill" do
      worker = engine.worker_open(handlers: ["w.a"])
      expect { Timeout.timeout(0.1) { engine.exchange(worker, [], 1, nil) } }.to raise_error(Timeout::Error)
      id = submit(engine)
      expect { Timeout.timeout(0.1) { engine.wait(id, nil) } }.to raise_error(Timeout::Error)
      thread = Thread.new { engine.wait(id, nil) }
      sleep 0.05
      expect(thread.kill.join(5)).to eq(thread)
    end

    it "serves signals while it waits" do
      worker = engine.worker_open(handlers: ["w.a"])
      seen = false
      before = Signal.trap("USR1") { seen = true }
      Thread.new { sleep(0.05) && Process.kill(:USR1, Process.pid) }
      engine.exchange(worker, [], 1, 2000)
      expect(seen).to be(true)
    ensure
      Signal.trap("USR1", before)
    end

    it "loses no claim: a killed thread's steps are ready again" do
      worker = engine.worker_open(handlers: ["w.a"], lease_ms: 600_000)
      engine.register(definition({ "a" => {} }))
      claimed = Queue.new
      60.times do |round|
        thread = Thread.new { engine.exchange(worker, [], 1, nil).claims.each { |row| claimed << row } }
        sleep(round % 3 * 0.001)
        engine.submit([{ workflow: "w" }])
        thread.kill.join
      end
      held = engine.worker_list.find { |row| row.worker_id == worker }.held
      # A thread may be killed after the call, with its claims in hand but not in the queue; here that
      # window is a few instructions wide.
      expect(held - claimed.size).to be_between(0, 1)
    end
  end

  it "does not block other threads while it waits" do
    engine = open_engine
    worker = engine.worker_open(handlers: ["w.a"])
    ticks = 0
    thread = Thread.new { engine.exchange(worker, [], 1, 300) }
    (ticks += 1) && sleep(0.01) while thread.alive?
    expect(ticks).to be > 10
  end

  it "works in a Ractor" do
    script = <<~RUBY
      Warning[:experimental] = false
      ractor = Ractor.new do
        engine = Stepwell::Engine.new("memory:")
        engine.register_text('{"stepwell": 1, "name": "w", "steps": [{"name": "a"}]}')
        engine.submit([{ workflow: "w" }])
        worker = engine.worker_open(handlers: ["w.a"])
        row = engine.exchange(worker, [], 1, 0).claims.first
        engine.update_batch([[row.step_id, row.epoch, :succeeded]]).first.state
      end
      exit ractor.take == :succeeded
    RUBY
    expect(end_of(start_ruby(script))).to be_success
  end
end
