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

    # Bring steps into other states by hand, in one transaction.
    #
    # :ready tries a failed, skipped or cancelled step (again); :pending lets a skipped or cancelled
    # one wait for its dependencies; :skipped leaves it out, with what cannot start without it;
    # :resolved says that it was done by other means, and lets the rest go on; :cancelled keeps it from
    # starting. What was skipped because of a step stays so when it is taken up again. Each change is
    # checked against {STEP_TRANSITIONS} and audited. A task that had failed or was cancelled goes on. What workers report is {Engine#update_batch}.
    #
    # @param rows [Array<Array>] [step_id, state], in the order in which they are applied
    # @param actor [String] who, for the audit log
    # @param reason [String] why, for the audit log
    # @param mode [Symbol] :all_or_nothing, or :partial to leave out what is refused
    # @return [BatchUpdate] how many were changed, and a row for each
    # @raise [IllegalTransitionError, NotFoundError] with :all_or_nothing; #row says which, and
    #   nothing was written
    def batch_update_step_states(rows, actor:, reason:, mode: :all_or_nothing)
      changed = override(rows.map { |step_id, state| [step_id, state, actor, reason] }, mode)
      BatchUpdate.new(changed.count(&:applied?), changed).freeze
    end

    private

    def task_id_of(task)
      Task === task ? task.id : task
    end
  end
end
