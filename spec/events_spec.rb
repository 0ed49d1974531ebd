# frozen_string_literal: true

require_relative "spec_helper"

RSpec.describe Stepwell::Events do
  STORES.each do |store|
    context "with the #{store} store" do
      let(:engine) { open_engine(store) }
      let(:task) { engine.task(submit(engine, { "a" => {} }, input_json: '{"n":1}', correlation_id: "c")) }

      it "appends at a version and tells the one that is" do
        version = task.version
        appended = task.append("order.paid", { cents: 42 }, expected_version: version, step: :a, actor: "ann", reason: "why")
        expect(appended).to be_appended.and have_attributes(position: version + 1, version: version + 1, code: nil)
        expect { task.append("order.paid", nil, expected_version: version) }
          .to raise_error(Stepwell::VersionConflictError) { |e| expect(e).to have_attributes(code: :EOUTDATED, version: version + 1, expected_version: version) }
        event = task.events(newest_first: true).first
        expect(event).to have_attributes(type: "order.paid", data: { "cents" => 42 }, step: "a", task_id: task.id)
        expect(event.entry).to have_attributes(kind: :event, actor: "ann", reason: "why", subject: "order.paid")
        expect(event.time).to be_within(60).of(Time.now)
      end

      it "appends once under a key" do
        first = task.append(:paid, 1, key: "k")
        expect(task.append(:paid, 1, key: "k", expected_version: 1)).to be_duplicate.and have_attributes(position: first.position)
        expect { task.append(:paid, 2, key: "k") }.to raise_error(Stepwell::ConflictError)
      end

      it "refuses what it cannot append, each by its class" do
        expect { task.append("step.completed") }.to raise_error(Stepwell::InvalidArgumentError, /one of the engine's/)
        expect { task.append("x", nil, step: "none") }.to raise_error(Stepwell::IllegalTransitionError)
        expect { task.append("x", Time.now) }.to raise_error(Stepwell::PayloadError)
        expect { engine.append_event("01a1fa53-a1dc-76ad-9ffc-eb15f6879603", "x") }.to raise_error(Stepwell::NotFoundError)
        expect { engine.append_events([[task, "x", nil, { colour: 1 }]]) }.to raise_error(ArgumentError, /colour/)
        rows = [[task, "x"], [task, "x", nil, { expected_version: 1 }]]
        expect { engine.append_events(rows) }.to raise_error(Stepwell::VersionConflictError) { |e| expect(e.row).to eq(1) }
        expect(task.events(types: "x").to_a).to be_empty
        answers = engine.append_events(rows, mode: :partial)
        expect(answers.map(&:status)).to eq(%i[appended refused])
        expect(answers.last).to have_attributes(code: :EOUTDATED, version: answers.first.version, position: nil, message: /version/)
      end

      it "reads every way, and pages" do
        2100.times.each_slice(500) { |slice| engine.append_events(slice.map { |n| [task, n.even? ? "even" : "odd", n] }) }
        expect(engine.events(types: :even).map(&:data).to_a).to eq((0...2100).select(&:even?))
        expect(engine.events(types: %w[even odd], newest_first: true, limit: 3).map(&:data).to_a).to eq([2099, 2098, 2097])
        expect(engine.events(correlation_id: "c", types: "odd").count).to eq(1050)
        first = task.events.first
        expect(first).to have_attributes(type: "task.submitted", data: { "n" => 1 })
        expect(task.events(after: first.position, limit: 2).map(&:data).to_a).to eq([0, 1])
        expect(task.events(before: first.position).to_a).to be_empty
        expect(task.events(since: Time.now + 60).to_a).to be_empty
        expect(task.events(until: Time.now + 60, limit: 1).map(&:type).to_a).to eq(["task.submitted"])
      end

      it "waits for what comes" do
        task
        follower = Thread.new { engine.follow_events(after: task.version, types: "late").first(2).map(&:data) }
        sleep 0.05
        task.append("early", 0)
        task.append("late", 1)
        sleep 0.05
        task.append("late", 2)
        expect(follower.join(10).value).to eq([1, 2])
        expect(engine.follow_events(after: task.version, timeout: 0.01).to_a).to be_empty
      end

      it "shows a task as it was" do
        before = task.version
        claim(engine).each { |row| engine.update_batch([[row.step_id, row.epoch, :succeeded, "7"]]) }
        expect(task.as_of(before)).to have_attributes(state: :pending, position: before, workflow: "w")
        expect(task.as_of(before).step(:a)).to have_attributes(state: :ready, attempt: 0, position: nil)
        expect(task.as_of(task.version)).to have_attributes(state: :succeeded, step_counts: include(succeeded: 1))
        expect { task.as_of(before - 1) }.to raise_error(Stepwell::NotFoundError)
      end
    end
  end
end

RSpec.describe Stepwell::Projection do
  let(:engine) { open_engine }
  let(:task) { engine.task(submit(engine)) }
  let(:revenue) do
    Class.new(described_class) do
      projection_name "revenue"
      initial { { total: 0 } }
      on("order.paid", "order.refunded") { |state, event| state["total"] += event.data }
      on("task.submitted") { |state, _| state["tasks"] = state.fetch("tasks", 0) + 1 }
    end
  end

  it "folds what has come, once" do
    5.times { |n| task.append("order.paid", n) }
    expect(revenue.catch_up(engine, batch: 2)).to have_attributes(position: task.version, state: { "total" => 10, "tasks" => 1 })
    task.append("order.refunded", -3)
    expect(revenue.catch_up(engine).state["total"]).to eq(7)
    expect(revenue.catch_up(engine).state["total"]).to eq(7)
    expect(engine.projections.map { |row| [row.name, row.version, row.position] }).to eq([["revenue", "1", task.version]])
    expect(revenue.rebuild(engine).state).to eq({ "total" => 7, "tasks" => 1 })
  end

  it "begins anew with another version of its code" do
    task.append("order.paid", 1)
    revenue.catch_up(engine)
    revenue.version 2
    revenue.on("order.paid") { |state, event| state["total"] += 100 * event.data }
    expect(revenue.snapshot(engine)).to have_attributes(position: 0, state: { "total" => 0 })
    expect(revenue.catch_up(engine).state["total"]).to eq(100)
  end

  it "tells what it was at a position, from what is kept or from the first event" do
    positions = Array.new(4) { |n| task.append("order.paid", n + 1).position }
    expect(revenue.at(engine, positions[1]).state["total"]).to eq(3)
    revenue.catch_up(engine)
    task.append("order.paid", 5)
    expect(revenue.at(engine, task.version).state["total"]).to eq(15)
    expect(revenue.at(engine, positions[2]).state["total"]).to eq(6)
    expect(revenue.snapshot(engine).state["total"]).to eq(10)
  end

  it "stops at an event that its handler cannot take, and moves nothing" do
    task.append("order.paid", 1)
    task.append("order.paid", "much")
    expect { revenue.catch_up(engine) }.to raise_error(Stepwell::ProjectionError, /order.paid/) { |e|
      expect(e.event.data).to eq("much")
      expect(e.projection).to be(revenue)
      expect(e.cause).to be_a(TypeError)
    }
    expect(revenue.snapshot(engine)).to have_attributes(position: 0)
  end

  it "goes on with what another process has saved" do
    task.append("order.paid", 1)
    other = Class.new(revenue) do
      projection_name "revenue"
      on("order.paid") do |state, event|
        state["total"] += event.data
        @quicker&.call
        @quicker = nil
      end
      class << self
        attr_writer :quicker
      end
    end
    other.quicker = -> { revenue.catch_up(engine) }
    expect(other.catch_up(engine).state["total"]).to eq(1)
  end

  it "forgets what was erased while it folded" do
    id = engine.submit([{ workflow: "w", tags: ["subject:ann"] }]).first.task_id if task
    engine.append_event(id, "order.paid", 5)
    engine.cancel([[id, "ann", "why"]])
    revenue.catch_up(engine)
    engine.erase("ann", actor: "eve", reason: "asked")
    expect(engine.projections).to be_empty
    forgiving = Class.new(revenue) do
      projection_name "revenue"
      on("order.paid") { |state, event| state["total"] += event.data.to_i }
    end
    expect(forgiving.catch_up(engine).state["total"]).to eq(0)
  end

  it "runs until its time is over or its block breaks" do
    task.append("order.paid", 1)
    expect(revenue.run(engine, timeout: 0.01).state["total"]).to eq(1)
    appender = Thread.new { sleep 0.05 and task.append("order.paid", 2) }
    seen = []
    revenue.run(engine) do |snapshot|
      seen << snapshot.state["total"]
      break if seen.size == 2
    end
    appender.join
    expect(seen).to eq([1, 3])
  end

  it "says what is missing" do
    expect { Class.new(described_class).catch_up(engine) }.to raise_error(Stepwell::InvalidArgumentError, /name/)
    expect { revenue.on }.to raise_error(ArgumentError)
    nothing = Class.new(described_class) { projection_name "n" }
    submit(engine)
    expect { nothing.catch_up(engine) }.to raise_error(Stepwell::InvalidArgumentError, /handler/)
  end

  # A process that is killed at any moment while it catches up has saved an event or has not.
  it "counts every event once, whatever is killed when" do
    file = open_engine(:sqlite)
    task = file.task(submit(file))
    file.append_events(Array.new(400) { |n| [task, "order.paid", n] })
    script = <<~RUBY
      class Revenue < Stepwell::Projection
        projection_name "revenue"
        on("order.paid") { |state, event| state["total"] = state.fetch("total", 0) + event.data; state["n"] = state.fetch("n", 0) + 1 }
      end
      engine = Stepwell::Engine.open(ARGV.first)
      File.write(ARGV.last, "ready")
      Revenue.catch_up(engine, batch: 1)
    RUBY
    counting = Class.new(described_class) do
      projection_name "revenue"
      on("order.paid") { |state, event| state["total"] = state.fetch("total", 0) + event.data; state["n"] = state.fetch("n", 0) + 1 }
    end
    place = -> { file.projections.first&.position.to_i }
    3.times do |round|
      mark = File.join(directory, "ready#{round}")
      from = place.call
      pid = start_ruby(script, File.join(directory, "sqlite.db"), mark)
      eventually { File.exist?(mark) && place.call > from + 10 }
      Process.kill(:KILL, pid)
      end_of(pid)
      kept = counting.snapshot(file)
      folded = task.events(types: "order.paid", before: kept.position + 1).map(&:data).to_a
      expect(kept.state).to eq({ "n" => folded.size, "total" => folded.sum })
    end
    expect(counting.catch_up(file).state).to eq({ "n" => 400, "total" => (0...400).sum })
    expect(file.audit_verify.ok).to be(true)
  end
end
