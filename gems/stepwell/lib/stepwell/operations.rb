# frozen_string_literal: true

module Stepwell
  # What operators ask and do, under the names that Tasker's users know; {Engine} includes it. Each
  # takes one task, as {Task} or by its identifier. The low level below them takes many.
  module Operations
    # Where a task stands: how it goes on, what blocks it, what comes next.
    #
    # @param task [Task, String]
    # @return [TaskContext]
    # @raise [NotFoundError]
    def get_task_execution_context(task)
      task_context([task_id_of(task)]).first
    end

    # Whether each step of a task may start, and why not.
    #
    # @param task [Task, String]
    # @return [Array<StepReadiness>] in topological order; select(&:ready?) leaves the viable ones
    # @raise [NotFoundError]
    def discover_viable_steps(task)
      step_readiness(task_id_of(task))
    end

    private

    def task_id_of(task)
      task.is_a?(Task) ? task.id : task
    end
  end
end
