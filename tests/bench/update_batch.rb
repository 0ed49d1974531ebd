# frozen_string_literal: true

# The cost of reporting 1,000 outcomes in one call from Ruby, on the memory store: the median in
# microseconds. The same work as bench_update.c; script/bench compares them.

require "stepwell"

ROWS = 1000
ROUNDS = 21
RESULT = '{"ok":true,"n":12345}'

# Seconds of one call with the outcomes of a new task.
def measure(engine, worker)
  engine.submit([{ workflow: "wide" }])
  claims = engine.exchange(worker, [], ROWS, 0).claims
  rows = claims.map { |claim| [claim.step_id, claim.epoch, :succeeded, RESULT] }
  started = Process.clock_gettime(Process::CLOCK_MONOTONIC)
  applied = engine.update_batch(rows)
  ended = Process.clock_gettime(Process::CLOCK_MONOTONIC)
  abort "#{applied.size} rows were applied" unless applied.size == ROWS
  ended - started
end

Stepwell::Engine.open("memory:") do |engine|
  steps = Array.new(ROWS) { |index| { "name" => "s#{index}", "handler" => "bench.step" } }
  engine.register({ "stepwell" => 1, "name" => "wide", "steps" => steps })
  worker = engine.worker_open(handlers: ["bench.step"])
  took = Array.new(ROUNDS) { measure(engine, worker) }.sort
  puts (took[ROUNDS / 2] * 1e6).round(1)
end
