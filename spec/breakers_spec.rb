# frozen_string_literal: true

require_relative "spec_helper"

# Circuit breakers: what the binding reads and gives; what they do is in tests/golden and the C tests.
RSpec.describe "circuit breakers" do
  let(:who) { { actor: "ann", reason: "by hand" } }

  let(:workflow) do
    Class.new(Stepwell::Workflow) do
      workflow_name "order"
      breaker :payments, failures: 1, successes: 3, probes: 2, open: 60, max_open: 600
      breaker :mail
      step :charge, breaker: :payments, retries: { attempts: 2, backoff: :none }
      step :ship, after: :charge, handler: "w.ship", breaker: "carrier"
      def charge(_ctx) = true
    end
  end

  STORES.each do |store|
    context "on #{store}" do
      let(:engine) { open_engine(store) }

      before { engine.register(workflow) }

      it "has one row for each that a workflow names, with its settings" do
        rows = engine.breakers
        expect(rows.map(&:name)).to eq(%w[carrier mail payments])
        expect(rows).to all(be_closed)
        expect(rows.last.to_h).to include(failure_threshold: 1, success_threshold: 3, probes: 2, open_ms: 60_000,
                                          max_open_ms: 600_000, failures: 0, forced: false, until_us: nil,
                                          changed_us: nil, error_class: nil)
        expect(rows.first.to_h).to include(failure_threshold: 5, success_threshold: 2, probes: 1, open_ms: 30_000,
                                           max_open_ms: 30_000)
      end

      it "opens by failures, and says so" do
        id = engine.submit([{ workflow: "order" }]).first.task_id
        worker = engine.worker_open(handlers: ["order.charge"])
        claim = engine.exchange(worker, [], 1, 0).claims.first
        engine.update_batch([[claim.step_id, claim.epoch, :failed, nil, "Down"]])
        row = engine.breakers.last
        expect(row).to be_open
        expect(row).to have_attributes(failures: 1, openings: 1, forced: false, error_class: "Down")
        expect(row.until_us - row.changed_us).to eq(60_000_000)
        expect(engine.exchange(worker, [], 1, 0).claims).to be_empty
        reason = engine.explain(id, :charge).first
        expect(reason).to have_attributes(reason: :breaker_open, subject: "payments", until_us: row.until_us)
        expect(reason.message).to match(/circuit payments is open for another .* 1 failure in a row, the last one Down/)
        expect(engine.close_breaker(:payments, **who)).to be_closed
        expect(engine.exchange(worker, [], 1, 0).claims.map(&:step)).to eq(["charge"])
      end

      it "opens and closes by hand, and the log knows who and why" do
        expect(engine.open_breaker(:payments, **who)).to have_attributes(state: :open, forced: true, until_us: nil)
        row = engine.open_breaker("payments", seconds: 0.5, **who)
        expect(row.until_us - row.changed_us).to eq(500_000)
        engine.close_breaker("payments", **who)
        entries = engine.audit_list(1, 100).select { |entry| entry.kind == :breaker_changed }
        expect(entries.map { |entry| [entry.from, entry.to, entry.subject, entry.actor, entry.reason] }).to eq(
          [%i[closed open], %i[open open], %i[open closed]].map { |states| [*states, "payments", "ann", "by hand"] }
        )
        expect(engine.audit_verify.ok).to be(true)
      end

      it "changes several or none" do
        rows = [["mail", :open, "ann", "why"], ["carrier", :open, "ann", "why", 5]]
        expect(engine.breaker_override(rows).map(&:name)).to eq(%w[mail carrier])
        expect { engine.breaker_override([["mail", :closed, "ann", "why"], ["none", :open, "ann", "why"]]) }
          .to raise_error(Stepwell::NotFoundError, /none/) { |error| expect(error.row).to eq(1) }
        expect(engine.breakers.map(&:state)).to eq(%i[open open closed])
      end

      it "refuses what an operator cannot do" do
        expect { engine.breaker_override([["mail", :half_open, "ann", "why"]]) }.to raise_error(Stepwell::InvalidArgumentError)
        expect { engine.open_breaker(:mail, actor: "", reason: "x") }.to raise_error(Stepwell::InvalidArgumentError, /actor/)
        expect { engine.open_breaker(:mail, seconds: 0, **who) }.to raise_error(Stepwell::InvalidArgumentError, /seconds/)
        expect { engine.breaker_override([["mail", :broken, "ann", "why"]]) }.to raise_error(Stepwell::InvalidArgumentError, /broken/)
        expect { engine.breaker_override([["mail"]]) }.to raise_error(Stepwell::InvalidArgumentError, /1 elements/)
        expect { engine.breaker_override("mail") }.to raise_error(TypeError)
      end
    end
  end

  it "refuses settings that are no numbers" do
    expect { Class.new(Stepwell::Workflow) { breaker :a, open: "soon" } }.to raise_error(Stepwell::InvalidArgumentError, /open/)
  end

  it "is inherited with the workflow" do
    child = Class.new(workflow) do
      workflow_name "child"
      breaker :more, failures: 3
    end
    expect(child.definition["breakers"].keys).to eq(%w[payments mail more])
    expect(workflow.definition["breakers"].keys).to eq(%w[payments mail])
  end
end
