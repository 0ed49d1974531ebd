# frozen_string_literal: true

# A worker in Ruby that does the steps of tests/chaos/workflows and keeps a ledger; see
# chaos_worker.c for what the steps do.
#
#   ruby worker.rb STORE LEDGER LEASE_MS SLOTS DEFINITION...

require "json"
require "stepwell"

STORE, LEDGER, LEASE_MS, SLOTS, *DEFINITIONS = ARGV
AGAIN_S = 0.02

# A line is one write at the end of the file, so that a kill leaves whole lines.
module Ledger
  FILE = File.open(LEDGER, "a").tap { |file| file.sync = true }

  def self.put(*words)
    FILE.syswrite("#{words.join(" ")}\n")
  end
end

# An engine that puts into the ledger what its answers acknowledge, and what goes wrong.
module Acknowledging
  def exchange(worker_id, rows, *rest)
    acknowledge(rows) { super }
  end

  def update_batch(rows)
    acknowledge(rows) { super }
  end

  private

  def acknowledge(rows)
    answer = yield
    applied = answer.respond_to?(:applied) ? answer.applied : answer
    rows.zip(applied) do |(step_id, epoch, outcome), row|
      Ledger.put(row.applied? ? "ack" : "fenced", step_id, epoch, outcome)
    end
    answer
  rescue Stepwell::Error => e
    Ledger.put("error", e.class.name.split("::").last)
    raise
  end
end

class Unwilling < StandardError; end

# Inputs that are there: of a dependency that failed there is none.
def inputs_present(claim)
  claim.inputs.count { |input| input.state == :failed || input.result }
end

def handle(ctx)
  Ledger.put("start", "#{ctx.task_id}/#{ctx.step}", ctx.fencing_token, ctx.attempt,
             Process.clock_gettime(Process::CLOCK_MONOTONIC, :microsecond))
  parameters = ctx.parameters
  sleep 0.02 while parameters[:hold] && ctx.attempt == 1 && !ctx.cancelled?
  sleep parameters.fetch(:ms, 0) / 1000.0
  raise Unwilling if ctx.attempt <= parameters.fetch(:fails, 0)

  { by: File.basename(LEDGER), epoch: ctx.fencing_token, inputs: inputs_present(ctx.claim) }
end

def handler_names
  DEFINITIONS.flat_map do |path|
    definition = JSON.parse(File.read(path))
    definition["steps"].map { |step| step["handler"] || "#{definition["name"]}.#{step["name"]}" }
  end
end

def work
  engine = Stepwell::Engine.new(STORE).extend(Acknowledging)
  names = handler_names.select { |name| name.include?(".") }
  Stepwell::Worker.new(engine: engine, handlers: names.to_h { |name| [name, method(:handle)] }, threads: SLOTS.to_i,
                       lease: LEASE_MS.to_i / 1000.0, name: File.basename(LEDGER)).run
  engine.close
end

trap("TERM") { exit } # until the worker has a better answer
begin
  work
rescue Stepwell::BusyError, Stepwell::StorageError, Stepwell::StorageFullError => e
  Ledger.put("error", e.class.name.split("::").last)
  sleep AGAIN_S
  retry
end
