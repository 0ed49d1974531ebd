# frozen_string_literal: true

require_relative "spec_helper"

# What operators ask and do, under its own names and under those of Tasker.
RSpec.describe Stepwell::Operations do
  STORES.each do |store|
    context "with the #{store} store" do
      let(:engine) { open_engine(store) }

      # Two branches, of which the second goes on when the first has failed.
      let(:branches) { { "a" => {}, "b" => { "after" => ["a"] }, "c" => {}, "d" => { "after" => ["c"] } } }

      # Claim everything for a new worker and report some of it as { step => outcome }.
      def report(task_id, outcomes)
        claims = claim(engine, "w.a", "w.b", "w.c", "w.d").select { |row| row.task_id == task_id }
        rows = claims.map { |row| [row.step_id, row.epoch, outcomes.fetch(row.step.to_sym, :released)] }
        engine.update_batch(rows)
      end

      describe "#task_context" do
        it "says where tasks stand, at one moment" do
          first = submit(engine, branches)
          second = submit(engine, branches)
          engine.cancel([[second, "ann", "enough"]])
          report(first, a: :failed_for_good)
          row, cancelled = engine.task_context([first, second])
          expect(row).to be_frozen
          expect(row).to have_attributes(
            task_id: first, workflow: "w", state: :running, execution_status: :has_ready_steps,
            recommended_action: :execute_ready_steps, health_status: :recovering, completion_percentage: 0.0,
            step_count: 4, ready_count: 1, next_retry_us: nil, next_steps: ["c"], blocking_steps: ["a"],
            blocked_steps: ["b"], healthy?: false, blocked?: false
          )
          expect(row.step_counts.keys).to eq(Stepwell::STEP_STATES)
          expect(row.step_counts.values.sum).to eq(4)
          expect(cancelled).to have_attributes(
            execution_status: :blocked_by_failures, recommended_action: :handle_failures, health_status: :blocked,
            blocked?: true
          )
          expect(engine.task_context([])).to eq([])
        end

        it "names the task that is not there" do
          ids = [submit(engine), "01920000-0000-7000-8000-000000000000"]
          expect { engine.task_context(ids) }.to raise_error(Stepwell::NotFoundError) { |error| expect(error.row).to eq(1) }
          expect { engine.task_context(["x"]) }.to raise_error(Stepwell::InvalidArgumentError, /task_id/)
          expect { engine.task_context([1]) }.to raise_error(TypeError)
          expect { engine.task_context("x") }.to raise_error(TypeError, /Array/)
        end

        it "is get_task_execution_context for one" do
          task = engine.task(submit(engine))
          expect(engine.get_task_execution_context(task)).to eq(engine.task_context([task.id]).first)
          expect(engine.get_task_execution_context(task.id)).to be_healthy
          expect(task.context.next_steps).to eq(["a"])
        end
      end

      describe "#step_readiness" do
        it "says of each step whether it may start, and why not" do
          id = submit(engine, branches)
          report(id, a: :failed_for_good)
          rows = engine.step_readiness(id).to_h { |row| [row.step, row] }
          expect(rows.keys).to match_array(%w[a b c d])
          expect(rows["a"]).to have_attributes(
            state: :failed, ready?: false, reason: :attempts_used_up, dependencies_satisfied?: true,
            retry_eligible?: false, attempts: 1, max_attempts: 1, total_parents: 0, completed_parents: 0,
            next_retry_us: nil
          )
          expect(rows["b"]).to have_attributes(reason: :failed_dependency, ready: false, dependencies_satisfied: false)
          expect(rows["c"]).to have_attributes(reason: :queued, ready: true, retry_eligible: true, step_id: Integer)
          expect(rows["d"]).to have_attributes(reason: :open_dependency, total_parents: 1, completed_parents: 0)
        end

        it "is discover_viable_steps" do
          task = engine.task(submit(engine, branches))
          expect(engine.discover_viable_steps(task)).to eq(engine.step_readiness(task.id))
          expect(engine.discover_viable_steps(task.id).select(&:ready?).map(&:step)).to eq(%w[a c])
          expect { engine.discover_viable_steps("01920000-0000-7000-8000-000000000000") }
            .to raise_error(Stepwell::NotFoundError)
        end
      end

      describe "#prune" do
        def ended(key = nil)
          id = submit(engine, branches, **{ key: key }.compact)
          engine.cancel([[id, "ann", "enough"]])
          id
        end

        it "takes out what ended long ago" do
          old = ended("k")
          expect(engine.prune(older_than: 3600)).to have_attributes(task_count: 0, step_count: 0, freed_bytes: 0)
          dry = engine.prune(older_than: -60, dry_run: true)
          expect(dry).to be_frozen
          expect(dry).to have_attributes(task_count: 1, step_count: 4)
          expect(engine.get(old).state).to eq(:cancelled)
          expect(engine.prune(older_than: -60, states: :succeeded).task_count).to eq(0)
          expect(engine.prune(older_than: -60, states: %i[failed cancelled], actor: "bob", reason: "old").task_count).to eq(1)
          expect { engine.get(old) }.to raise_error(Stepwell::NotFoundError)
          entry = engine.audit_list(1, 100).last
          expect(entry).to have_attributes(kind: :task_pruned, from: :cancelled, task_id: old, actor: "bob", reason: "old")
          expect(engine.audit_verify.message).to include("but for 1 pruned task")
          expect(ended("k")).not_to eq(old)
        end

        it "chooses by time, workflow and number" do
          3.times { ended }
          expect(engine.prune(finished_before: Time.now - 60).task_count).to eq(0)
          expect(engine.prune(finished_before: Time.now + 60, workflow: "other").task_count).to eq(0)
          expect(engine.prune(finished_before: Time.now + 60, workflow: "w", limit: 2).task_count).to eq(2)
          expect(engine.count.values.sum).to eq(1)
        end

        it "refuses what makes no sense" do
          expect { engine.prune }.to raise_error(ArgumentError)
          expect { engine.prune(older_than: 1, finished_before: Time.now) }.to raise_error(ArgumentError)
          expect { engine.prune(older_than: 1, states: [:running]) }.to raise_error(Stepwell::InvalidArgumentError, /no task ends as running/)
          expect { engine.prune(older_than: 1, states: [:some]) }.to raise_error(Stepwell::InvalidArgumentError)
          expect { engine.prune(older_than: 1, limit: -1) }.to raise_error(Stepwell::InvalidArgumentError)
        end
      end

      describe "#override" do
        def step_id(id, name)
          engine.get(id).step(name).step_id
        end

        it "changes steps by hand, all or none" do
          id = submit(engine, branches)
          report(id, a: :failed_for_good, c: :succeeded)
          rows = [[step_id(id, :a), :resolved, "ann", "paid"], [step_id(id, :c), "ready", "ann", "again"]]
          expect { engine.override(rows) }.to raise_error(Stepwell::IllegalTransitionError, /succeeded/) { |error|
            expect(error.row).to eq(1)
          }
          expect(engine.get(id).step(:a).state).to eq(:failed)
          changed = engine.override(rows.first(1))
          expect(changed.first).to be_frozen.and have_attributes(
            step_id: step_id(id, :a), status: :applied, from: :failed, state: :resolved, code: nil, message: nil,
            applied?: true, refused?: false
          )
          expect(engine.get(id).step(:b).state).to eq(:ready)
          entry = engine.audit_task(id).find { |row| row.to == :resolved }
          expect(entry).to have_attributes(actor: "ann", reason: "paid", step: "a")
          expect(engine.audit_verify.ok).to be(true)
        end

        it "changes what can be changed" do
          id = submit(engine, branches)
          rows = [[step_id(id, :a), :skipped, "ann", "why"], [1, :ready, "ann", "why"]]
          applied, refused = engine.override(rows, :partial)
          expect(applied).to be_applied
          expect(refused).to have_attributes(status: :refused, from: nil, state: nil, code: :ENOTFOUND, message: /no step 1/)
        end

        it "refuses bad rows" do
          id = step_id(submit(engine, branches), :a)
          { [[id, :gone, "a", "b"]] => /"gone" is no step state/, [[id, :ready, nil, "b"]] => /actor is missing/,
            [[id, :ready, "a", ""]] => /reason is missing/, [[id, :ready]] => /2 elements/ }.each do |rows, message|
            expect { engine.override(rows) }.to raise_error(Stepwell::InvalidArgumentError, message) { |error|
              expect(error.row).to eq(0)
            }
          end
          expect { engine.override([], :some) }.to raise_error(Stepwell::InvalidArgumentError, /batch mode/)
          expect { engine.override([[1.0, :ready, "a", "b"]]) }.to raise_error(TypeError)
        end

        it "is batch_update_step_states with the true count" do
          id = submit(engine, branches)
          ids = %i[a b c d].map { |name| step_id(id, name) }
          rows = [[ids[0], :skipped], [ids[0], :succeeded], [ids[2], :cancelled], [ids[3], :ready]]
          update = engine.batch_update_step_states(rows, actor: "ann", reason: "why", mode: :partial)
          expect(update.updated_count).to eq(2)
          expect(update.rows.map(&:status)).to eq(%i[applied refused applied refused])
          expect(update.rows.map(&:message)).to match([nil, /cannot make it succeeded/, nil, /d cannot become ready.*all_succeeded/])
          expect { engine.batch_update_step_states(rows, actor: "ann", reason: "why") }
            .to raise_error(Stepwell::IllegalTransitionError)
        end
      end
    end
  end

  it "has the words as constants" do
    expect(Stepwell::EXECUTION_STATUSES).to eq(
      %i[has_ready_steps processing blocked_by_failures all_complete waiting_for_dependencies]
    )
    expect(Stepwell::RECOMMENDED_ACTIONS).to include(:handle_failures)
    expect(Stepwell::BATCH_MODES).to eq(%i[all_or_nothing partial])
    expect(Stepwell::ROW_STATUSES).to eq(%i[applied fenced refused])
    expect(Stepwell::HEALTH_STATUSES).to eq(%i[healthy recovering blocked])
  end
end
