# frozen_string_literal: true

require_relative "spec_helper"

# What a handler sees of its attempt, and what a program sees of its task.
RSpec.describe Stepwell::Context do
  let(:engine) { open_engine }
  let(:steps) do
    { "a" => {}, "b" => {}, "c" => { "after" => %w[a b], "timeout_ms" => 5000, "parameters" => { "p" => { "q" => 1 } },
                                     "retry" => { "max_attempts" => 3 } } }
  end

  def context(input: '{"n":{"m":1}}')
    @task_id = submit(engine, steps, input_json: input, correlation_id: "corr")
    rows = claim(engine, "w.a", "w.b", "w.c")
    reports = rows.map { |row| [row.step_id, row.epoch, :succeeded, row.step == "a" ? '{"r":[1]}' : nil] }
    described_class.new(engine.exchange(@worker_id, reports, 1, 0).claims.first)
  end

  it "gives the input, by String and by Symbol, frozen" do
    ctx = context
    expect(ctx.input[:n][:m]).to eq(1)
    expect(ctx.input).to equal(ctx.input).and be_frozen
    expect(context(input: "[1]").input).to eq([1])
    expect(context(input: nil).input).to be_nil
  end

  it "gives the results of the steps named in after:" do
    ctx = context
    expect(ctx.result(:a)[:r]).to eq([1])
    expect(ctx.result("b")).to be_nil
    expect(ctx.results).to eq({ "a" => { "r" => [1] }, "b" => nil })
    expect { ctx.result(:z) }.to raise_error(KeyError, /c reads the result of z, but its after: names a, b/)
  end

  it "gives the states of the steps named in after:, ended or not" do
    expect(context.state(:a)).to eq(:succeeded)
    submit(engine, { "x" => {}, "y" => {}, "z" => { "after" => %w[x y], "trigger" => "any_succeeded" } })
    row = claim(engine, "w.x", "w.y", "w.z").find { |one| one.step == "y" }
    ctx = described_class.new(engine.exchange(@worker_id, [[row.step_id, row.epoch, :succeeded, "1"]], 1, 0).claims.first)
    expect([ctx.state(:x), ctx.result(:x), ctx.state("y"), ctx.result(:y)]).to eq([:running, nil, :succeeded, 1])
    expect { ctx.state(:q) }.to raise_error(KeyError, /but its after: names x, y/)
  end

  it "tells what the attempt is" do
    ctx = context
    expect(ctx).to have_attributes(attempt: 1, max_attempts: 3, task_id: @task_id, step: "c", workflow: "w",
                                   correlation_id: "corr", cancelled?: false, fencing_token: ctx.claim.epoch,
                                   parameters: { "p" => { "q" => 1 } })
    expect(ctx.parameters.dig(:p, :q)).to eq(1)
    expect(ctx.deadline).to be_within(2).of(Time.now + 5)
    expect(ctx.time_left).to be_between(3, 5)
    expect(ctx.inspect).to include("w.c attempt 1")
  end

  it "keeps the idempotency key over attempts, and no other step has it" do
    first = context.claim
    engine.update_batch([[first.step_id, first.epoch, :released]])
    second = engine.exchange(@worker_id, [], 1, 0).claims.first
    expect(second.epoch).to be > first.epoch
    expect(second.idempotency_key).to eq(first.idempotency_key)
    expect(context.idempotency_key).not_to eq(first.idempotency_key)
  end

  it "has no deadline without a timeout" do
    submit(engine)
    ctx = described_class.new(claim(engine).first)
    expect(ctx).to have_attributes(deadline: nil, time_left: nil, parameters: {})
  end
end

RSpec.describe Stepwell::Task do
  let(:engine) { open_engine }

  def finish(step = "a", outcome = :succeeded, *rest)
    row = claim(engine, "w.#{step}").first
    engine.update_batch([[row.step_id, row.epoch, outcome, *rest]])
  end

  it "shows the state as it is now, until it has ended" do
    task = engine.task(submit(engine, { "a" => {}, "b" => { "after" => ["a"] } }))
    expect(task).to have_attributes(status: :pending, ended?: false, succeeded?: false, failed?: false)
    finish("a", :succeeded, "[1]")
    expect(task.status).to eq(:running)
    expect(task.result(:a)).to eq([1])
    expect(task.result(:b)).to be_nil
    expect(task.steps.map { |step| [step.name, step.state] }).to eq([["a", :succeeded], ["b", :ready]])
    expect { task.result(:z) }.to raise_error(KeyError, /w has no step z/)
    finish("b")
    expect(task).to be_succeeded
    expect(task.inspect).to match(/\A#<Stepwell::Task \h{8}-.* w succeeded 2\/2 in \d+\.\d s>\z/)
    expect(task.history.map(&:kind)).to include(:task_submitted, :step_changed)
  end

  it "explains itself" do
    task = engine.task(submit(engine, { "a" => {}, "b" => { "after" => ["a"] } }))
    expect(task.explain(:b)).to include("a")
    expect(task.reasons.map(&:step)).to eq(%w[a b])
    expect(task.explain.lines.size).to eq(2)
  end

  it "waits in seconds" do
    task = engine.task(submit(engine))
    expect { task.wait(timeout: 0.02) }.to raise_error(Stepwell::WaitTimeoutError)
    finish
    expect(task.wait(timeout: 1)).to be(task)
    expect(task.wait).to be_succeeded
  end

  it "is cancelled with a name and a reason" do
    task = engine.task(submit(engine))
    expect(task.cancel!(by: "ann", reason: "why").status).to eq(:cancelled)
    expect(task.history.map(&:actor)).to include("ann")
    expect { task.cancel! }.to raise_error(Stepwell::IllegalTransitionError)
  end

  it "is the same task when the id is" do
    id = submit(engine)
    expect(engine.task(id)).to eq(engine.task(id))
    expect([engine.task(id), engine.task(id)].uniq.size).to eq(1)
    expect(engine.tasks(workflow: "w")).to eq([engine.task(id)])
  end

  it "can be printed when it is gone" do
    task = engine.task("01a1fa53-a1dc-76ad-9ffc-eb15f6879603")
    expect(task.inspect).to include("there is no task")
    engine.close
    expect(task.inspect).to include("closed")
  end
end
