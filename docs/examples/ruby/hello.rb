# frozen_string_literal: true

# The smallest workflow: two steps, one after the other, in a store that lives as long as the
# program.

require "stepwell"

class GreetWorkflow < Stepwell::Workflow
  step :ask
  step :answer, after: :ask

  def ask(ctx) = { name: ctx.input[:name].capitalize }
  def answer(ctx) = "Hello #{ctx.result(:ask)[:name]}"
end

Stepwell.configure("memory:")
task = GreetWorkflow.start(name: "ada")
Stepwell::Worker.new(workflows: [GreetWorkflow]).run(until: task)
puts task.result(:answer)
