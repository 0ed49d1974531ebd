# frozen_string_literal: true

require_relative "spec_helper"

# Tasker's two readiness rules, row by row against the same rules in plain Ruby.
RSpec.describe "Tasker's readiness" do
  now = Time.at(1_772_323_200)
  states = %i[pending enqueued in_progress enqueued_for_orchestration enqueued_as_error_for_orchestration
              waiting_for_retry complete error cancelled resolved_manually]

  draw = lambda do |random, count|
    maybe = ->(range) { random.rand(2).zero? ? nil : random.rand(range) }
    past = -> { maybe.call(0..90)&.then { |seconds| now - seconds } }
    Array.new(count) do |i|
      { state: (states + %i[pending complete error waiting_for_retry]).sample(random: random),
        parents: (0...i).select { random.rand < 0.3 }, processed: random.rand < 0.2, in_process: random.rand < 0.2,
        retryable: random.rand < 0.8, attempts: maybe.call(0..7), retry_limit: maybe.call(0..7),
        backoff_request_seconds: maybe.call(0..90), last_attempted_at: past.call, failed_at: past.call }
    end
  end

  over = ->(since, seconds) { since && seconds && since + seconds <= now }
  common = lambda do |steps, step|
    step[:parents].all? { |parent| %i[complete resolved_manually].include?(steps[parent][:state]) } &&
      !step[:processed] && !step[:in_process]
  end
  left = ->(step) { (step[:attempts] || 0) < (step[:retry_limit] || 3) }
  references = {
    rails: lambda do |steps, step|
      common.call(steps, step) && %i[pending error].include?(step[:state]) && left.call(step) && step[:retryable] &&
        over.call(step[:last_attempted_at], step[:backoff_request_seconds]) != false &&
        over.call(step[:failed_at], [2**(step[:attempts] || 0), 30].min) != false
    end,
    core: lambda do |steps, step|
      asked = over.call(step[:last_attempted_at], step[:backoff_request_seconds])
      wait = asked.nil? ? over.call(step[:failed_at], [2.0**(step[:attempts] || 0), 60].min) : asked
      common.call(steps, step) && %i[pending waiting_for_retry].include?(step[:state]) &&
        ((step[:attempts] || 0).zero? || (step[:retryable] && left.call(step))) && wait != false
    end
  }

  references.each do |rule, reference|
    it "is that of #{rule}, row by row" do
      random = Random.new(7)
      ready = 0
      400.times do
        steps = draw.call(random, 8)
        found = Stepwell.tasker_readiness(steps, rule: rule, now: now).map(&:ready?)
        expect(found).to eq(steps.map { |step| reference.call(steps, step) })
        ready += found.count(true)
      end
      expect(ready).to be > 30
    end
  end

  it "says what a row of Tasker's says" do
    steps = [{ state: :complete }, { state: :error, parents: [0], attempts: 2, failed_at: now }]
    row = Stepwell.tasker_readiness(steps, rule: :rails, now: now, asked: [1]).first
    expect(row.to_h).to eq(ready: false, dependencies_satisfied: true, retry_eligible: false, total_parents: 1,
                           completed_parents: 1, next_retry_us: (now.to_i + 4) * 1_000_000)
    expect(Stepwell.tasker_readiness(steps, rule: :rails, now: now + 4).last).to be_ready
    expect(Stepwell.tasker_readiness([])).to eq([])
  end

  it "refuses what Tasker does not know" do
    expect { Stepwell.tasker_readiness([], rule: :other) }.to raise_error(Stepwell::InvalidArgumentError, /other/)
    expect { Stepwell.tasker_readiness([{ state: :pending }, { state: :ready }]) }
      .to raise_error(Stepwell::InvalidArgumentError, /ready/) { |error| expect(error.row).to eq(1) }
    expect { Stepwell.tasker_readiness([{ state: :pending, parents: [3] }]) }
      .to raise_error(Stepwell::InvalidArgumentError, /parent 3/)
    expect { Stepwell.tasker_readiness([{ state: :pending }], asked: [2]) }
      .to raise_error(Stepwell::InvalidArgumentError, /step 2/)
    expect { Stepwell.tasker_readiness([{ state: :pending, colour: "red" }]) }.to raise_error(ArgumentError, /colour/)
    expect { Stepwell.tasker_readiness([{ state: :pending, attempts: "many" }]) }.to raise_error(TypeError, /attempts/)
    expect { Stepwell.tasker_readiness_rows(:core, [[]], 0, nil) }.to raise_error(Stepwell::InvalidArgumentError, /columns/)
  end
end
