# frozen_string_literal: true

require_relative "spec_helper"

# Many tasks at once, and what makes two submissions the same task.
RSpec.describe "Stepwell::Workflow.start_many" do
  STORES.each do |store|
    context "with the #{store} store" do
      let(:engine) { open_engine(store) }
      let(:workflow) do
        Class.new(Stepwell::Workflow) do
          workflow_name "bulk"
          step :a, handler: "elsewhere.a"
        end
      end

      it "starts tasks in one transaction, in the order of their inputs" do
        inputs = Array.new(500) { |i| { n: i } }
        tasks = workflow.start_many(inputs, engine: engine, tags: ["bulk"], priority: 3, initiator: "ann")
        expect(tasks.map { |task| task.input[:n] }).to eq((0...500).to_a)
        expect(tasks).to all(be_created)
        expect(tasks.last.row).to have_attributes(tags: ["bulk"], priority: 3, initiator: "ann")
        expect(engine.audit_task(tasks[0].id).first.time_us).to eq(engine.audit_task(tasks[499].id).first.time_us)
        expect(workflow.start_many([], engine: engine)).to eq([])
      end

      it "starts all or none" do
        workflow.start({ n: 1 }, engine: engine, key: "b")
        expect { workflow.start_many([{ n: 1 }, { n: 2 }], keys: %w[a b], engine: engine) }
          .to raise_error(Stepwell::ConflictError) { |error| expect(error.row).to eq(1) }
        expect(engine.count.values.sum).to eq(1)
        expect { workflow.start_many([1], keys: [], engine: engine) }.to raise_error(ArgumentError, "1 inputs have 0 keys")
      end

      it "knows tasks by keys that the caller gives" do
        first = workflow.start_many([1, 2], keys: ["a", nil], engine: engine, identity_strategy: nil)
        again = workflow.start_many([1, 2], keys: ["a", nil], engine: engine)
        expect(again.first).to eq(first.first)
        expect(again.map(&:created?)).to eq([false, true])
        expect(workflow.start(1, key: "a", engine: engine, identity_strategy: :caller_provided)).to eq(first.first)
        expect { workflow.start(1, engine: engine, identity_strategy: :caller_provided) }
          .to raise_error(Stepwell::InvalidArgumentError, /needs a key/)
      end

      it "knows tasks by their input when that is asked for" do
        first = workflow.start({ a: 1, b: [{ y: 2, x: 3.5 }] }, engine: engine, identity_strategy: :strict)
        expect(first).to be_created
        again = workflow.start({ "b" => [{ x: 3.5, y: 2 }], "a" => 1 }, engine: engine, identity_strategy: :strict)
        expect([again, again.created?]).to eq([first, false])
        others = [{ a: 1 }, { a: 2**70 }, { a: (2**70) + 1 }, { a: 1.0 }, [], nil]
        tasks = workflow.start_many(others, engine: engine, identity_strategy: :strict)
        expect(tasks.map(&:id).uniq.size).to eq(6)
        expect(tasks).to all(be_created)
        expect(workflow.start_many([nil, nil], engine: engine, identity_strategy: :strict).map(&:id).uniq).to eq([tasks.last.id])
        expect { workflow.start(1, key: "a", engine: engine, identity_strategy: :strict) }
          .to raise_error(Stepwell::InvalidArgumentError, /takes no key/)
      end

      it "makes every task a new one when that is asked for" do
        tasks = workflow.start_many([1, 1], engine: engine, identity_strategy: :always_unique)
        expect(tasks.uniq.size).to eq(2)
        expect { workflow.start(1, key: "a", engine: engine, identity_strategy: :always_unique) }
          .to raise_error(Stepwell::InvalidArgumentError, /takes no key/)
        expect { workflow.start(1, engine: engine, identity_strategy: :none) }
          .to raise_error(Stepwell::InvalidArgumentError, /:none is no identity strategy/)
      end
    end
  end
end
