# frozen_string_literal: true

# The Ruby side of the language boundary: Engine#update_batch with 1,000 rows, the call that
# bench_update_batch makes in C.
#
#     ruby -I gems/stepwell/lib tests/bench/update_batch.rb [STORE [DURABILITY]]
#
# Prints one line of JSON: rows per second, median of the rounds.

require "stepwell"

ROWS = 1000
ROUNDS = 40

engine = Stepwell::Engine.new(ARGV.fetch(0, "memory:"), durability: ARGV.fetch(1, "strict").to_sym)
engine.register_text('{"stepwell":1,"name":"w","steps":[{"name":"a"}]}')
worker = engine.worker_open(handlers: ["w.a"])
tasks = Array.new(ROWS) { { workflow: "w" } }

rates = Array.new(ROUNDS) do
  engine.submit(tasks)
  claims = engine.exchange(worker, [], ROWS, 0).claims
  rows = claims.map { |claim| [claim.step_id, claim.epoch, :succeeded, '{"n":1}'] }
  start = Process.clock_gettime(Process::CLOCK_MONOTONIC)
  applied = engine.update_batch(rows)
  applied.size / (Process.clock_gettime(Process::CLOCK_MONOTONIC) - start)
end
puts JSON.generate({ name: "update_batch/ruby/#{ROWS}", unit: "rows/s", median: rates.sort[ROUNDS / 2].round })
engine.close
