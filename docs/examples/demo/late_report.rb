# frozen_string_literal: true

# A report that comes too late: says that an attempt has succeeded, under the fencing token that the
# attempt was given, as its worker would have done had it woken up again.
#
#   ruby late_report.rb TASK STEP TOKEN     prints "applied" or "fenced"

require "stepwell"

task_id, step, token = ARGV
Stepwell::Engine.open(ENV.fetch("STEPWELL_DB")) do |engine|
  step_id = engine.get(task_id).step(step).step_id
  report = [step_id, Integer(token), :succeeded, '{"packed_by":"a worker that is dead"}']
  puts engine.update_batch([report]).first.status
end
