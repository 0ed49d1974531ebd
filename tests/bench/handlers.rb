# frozen_string_literal: true

# What a step costs that does nothing, on the memory store: microseconds per step over the bare call
# of its handler. Beside a worker a loop by hand, which calls the handler for each claim of an
# exchange. Prints the rows of script/bench.
#
#   handlers.rb [--quick] [--json]

require "json"
require "stepwell"

LAYER = 500
BATCH = 100
QUICK = ARGV.include?("--quick")
STEPS = QUICK ? 2_000 : 10_000
ROUNDS = QUICK ? 3 : 7
NOTHING = ->(_context) {}

# Layers, each step after two of the layer before.
def definition
  steps = Array.new(STEPS) do |step|
    before = ((step / LAYER) - 1) * LAYER
    after = before.negative? ? [] : [before + (step % LAYER), before + ((step + 7) % LAYER)]
    { "name" => "s#{step}", "handler" => "bench.step", "after" => after.map { |other| "s#{other}" } }
  end
  { "stepwell" => 1, "name" => "layered", "steps" => steps }
end

# Microseconds per step.
def timed
  started = Process.clock_gettime(Process::CLOCK_MONOTONIC)
  yield
  (Process.clock_gettime(Process::CLOCK_MONOTONIC) - started) * 1e6 / STEPS
end

def by_worker(engine)
  task = engine.start("layered")
  task.wait(timeout: 600)
  abort "the task is #{task.status}" unless task.status == :succeeded
end

def by_hand(engine, worker)
  engine.start("layered")
  rows = []
  until (claims = engine.exchange(worker, rows, BATCH, 0).claims).empty?
    rows = claims.map do |claim|
      NOTHING.call(claim)
      [claim.step_id, claim.epoch, :succeeded, nil]
    end
  end
end

def median(values)
  values.sort[values.size / 2]
end

# What a block takes with a worker at work, which the others must not be disturbed by.
def beside_worker(engine, &block)
  worker = Stepwell::Worker.new(handlers: { "bench.step" => NOTHING }, engine: engine, threads: 1, batch: BATCH).start
  timed(&block)
ensure
  worker&.stop
end

# Both in turn, because the machine changes; without what the bare calls take.
def rounds
  Stepwell::Engine.open("memory:") do |engine|
    engine.register(definition)
    hand = engine.worker_open(handlers: ["bench.step"])
    Array.new(ROUNDS) do
      bare = timed { STEPS.times { NOTHING.call(nil) } }
      [beside_worker(engine) { by_worker(engine) } - bare, timed { by_hand(engine, hand) } - bare]
    end
  end
end

pairs = rounds
ours = pairs.map(&:first)
row = { name: "handlers/ruby_worker", unit: "us/step", median: median(ours).round(2), min: ours.min.round(2),
        max: ours.max.round(2), floor: median(pairs.map(&:last)).round(2),
        ratio: median(pairs.map { |mine, hand| mine / hand }).round(3) }
if ARGV.include?("--json")
  puts JSON.generate(row)
else
  puts format("%-28<name>s %9.2<median>f %9.2<min>f %9.2<max>f %8<none>s %9.2<floor>f %6.2<ratio>f  " \
              "us per step over the call; floor is by hand", none: "", **row)
end
