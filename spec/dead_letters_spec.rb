# frozen_string_literal: true

# Dead letters: which steps are, in pages and groups, and retrying and resolving one or many.

require_relative "spec_helper"

RSpec.describe "dead letters" do
  definition = { stepwell: 1, name: "w", steps: [
    { name: "charge" }, { name: "lax", on_failure: "continue" }, { name: "ship", after: ["charge"] }
  ] }
  who = { actor: "ann", reason: "by hand" }.freeze

  STORES.each do |store|
    context "with the #{store} store" do
      let(:engine) { open_engine(store) }
      let!(:worker) do
        engine.register(definition)
        engine.worker_open(handlers: %w[w.charge w.lax w.ship])
      end

      # Start a task and fail its first steps.
      def fail_task(error_class)
        task = engine.start("w")
        claims = engine.exchange(worker, [], 10, 0).claims
        rows = claims.map { |row| [row.step_id, row.epoch, :failed_for_good, nil, error_class, "no funds"] }
        engine.exchange(worker, rows, 0, 0)
        task
      end

      it "are the steps that block their task, newest first" do
        expect(engine.dead_letters).to eq([])
        first = fail_task("Declined")
        second = fail_task("Timeout")
        letters = engine.dead_letters
        expect(letters.map(&:task_id)).to eq([second.id, first.id])
        letter = letters.last
        expect([letter.workflow, letter.step, letter.handler, letter.queue]).to eq(%w[w charge w.charge default])
        expect([letter.error_class, letter.error_message, letter.error_detail]).to eq(["Declined", "no funds", nil])
        expect([letter.attempt, letter.max_attempts, letter.crashes, letter.task_state]).to eq([1, 1, 0, :failed])
        expect(letter.failed_at.to_f).to be_within(0.001).of(letter.failed_us / 1e6)
        expect(letter.task.id).to eq(first.id)
        expect(letter.inspect).to include("charge", "Declined")
      end

      it "are found by what is asked for" do
        fail_task("Declined")
        between = Time.at(0, engine.dead_letters.first.failed_us + 1, :microsecond)
        sleep 0.002
        fail_task("Timeout")
        classes = ->(**filter) { engine.dead_letters(**filter).map(&:error_class) }
        expect(classes.call(error_class: "Declined")).to eq(["Declined"])
        expect(classes.call(handler: "w.charge", workflow: "w", step: "charge")).to eq(%w[Timeout Declined])
        expect(classes.call(step: "lax")).to eq([])
        expect(classes.call(failed_after: between)).to eq(["Timeout"])
        expect(classes.call(failed_before: between)).to eq(["Declined"])
        page = engine.dead_letters(limit: 1)
        expect(page.map(&:error_class)).to eq(["Timeout"])
        expect(classes.call(limit: 1, after: page.last)).to eq(["Declined"])
      end

      it "are counted by error class and handler" do
        %w[Declined Timeout Declined].each { |name| fail_task(name) }
        groups = engine.count_dead_letters
        expect(groups.map { |row| [row.error_class, row.handler, row.count] })
          .to eq([["Declined", "w.charge", 2], ["Timeout", "w.charge", 1]])
        expect(groups.first.newest_us).to be > groups.first.oldest_us
        expect(engine.count_dead_letters(error_class: "Boom")).to eq([])
      end

      it "can be retried, once" do
        task = fail_task("Declined")
        letter = engine.dead_letters.first
        expect(letter.retry(**who)).to be_applied
        expect(task.status).to eq(:running)
        expect(engine.dead_letters).to eq([])
        expect { letter.retry(**who) }.to raise_error(Stepwell::IllegalTransitionError)
      end

      it "can be resolved with a result that dependents read" do
        fail_task("Declined")
        expect(engine.dead_letters.first.resolve({ paid: true }, **who).state).to eq(:resolved)
        claim = engine.exchange(worker, [], 10, 0).claims.first
        expect(claim.step).to eq("ship")
        expect(claim.inputs.first.result_json).to eq('{"paid":true}')
        expect(engine.audit_verify.ok).to be(true)
      end

      it "can be changed together" do
        %w[Declined Timeout Declined Timeout].each { |name| fail_task(name) }
        changed = engine.retry_dead_letters(error_class: "Declined", limit: 1, **who)
        expect([changed.updated_count, changed.rows.map(&:state)]).to eq([1, [:ready]])
        expect(engine.retry_dead_letters(error_class: "Declined", **who).updated_count).to eq(1)
        expect(engine.resolve_dead_letters(7, **who).rows.map(&:state)).to eq(%i[resolved resolved])
        expect(engine.retry_dead_letters(**who).updated_count).to eq(0)
        expect(engine.audit_verify.ok).to be(true)
      end

      it "refuse what makes no sense" do
        expect { engine.dead_letters(limit: 10_001) }.to raise_error(Stepwell::InvalidArgumentError, /limit/)
        expect { engine.dead_letters(nothing: 1) }.to raise_error(ArgumentError)
        expect { engine.retry_dead_letters(actor: "", reason: "x") }.to raise_error(Stepwell::InvalidArgumentError, /actor/)
        expect { engine.dead_override(:skipped, "a", "b") }.to raise_error(Stepwell::InvalidArgumentError, /skipped/)
        expect { engine.dead_override(:resolved, "a", "b", "{") }.to raise_error(Stepwell::InvalidArgumentError, /JSON/)
      end
    end
  end
end
