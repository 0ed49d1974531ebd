# frozen_string_literal: true

# A worker process and a program that gives it work.
#
#   ruby worker.rb work           work until SIGTERM or SIGINT
#   ruby worker.rb start 1 2 3    start one task per number and print what comes out

require "stepwell"

class SquareWorkflow < Stepwell::Workflow
  step :square
  step :say, after: :square

  def square(ctx) = ctx.input[:number]**2
  def say(ctx) = "#{ctx.input[:number]} squared is #{ctx.result(:square)}, says process #{Process.pid}"
end

Stepwell.configure(ENV.fetch("STEPWELL_DB", "squares.db"))

case ARGV.shift
when "work"
  Stepwell::Worker.new(workflows: [SquareWorkflow], threads: 4, grace: 10).run
when "start"
  tasks = ARGV.map { |number| SquareWorkflow.start(number: Integer(number), key: number) }
  tasks.each { |task| puts task.wait(timeout: 30).result(:say) }
else
  abort "usage: ruby worker.rb work|start NUMBER..."
end
