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

    # Take out tasks that ended long ago, with their steps, inputs, results, tags and idempotency keys,
    # in many short transactions that let workers go on; then give their room back to the file system.
    # The audit log keeps what it says of them and gets an entry for each, so that
    # {Engine#audit_verify} still replays everything.
    #
    # @param older_than [Numeric, nil] seconds since they ended; either this or finished_before
    # @param finished_before [Time, nil] only tasks that ended before this time
    # @param workflow [String, nil] only tasks of this workflow
    # @param states [Symbol, Array<Symbol>, nil] in which they ended; nil: any
    # @param limit [Integer, nil] tasks at most, the oldest first
    # @param dry_run [Boolean] count them, and change nothing
    # @param actor [String, nil] who, for the audit log
    # @param reason [String, nil] why, for the audit log
    # @return [Pruned]
    # @raise [ArgumentError] neither an age nor a time, or both
    # @raise [InvalidArgumentError] a state in which no task ends
    def prune(older_than: nil, finished_before: nil, **options)
      raise ArgumentError, "either older_than or finished_before" if older_than.nil? == finished_before.nil?

      before_us = (finished_before.to_r * 1_000_000).floor if finished_before
      task_prune(before_us || (info.now_us - (older_than.to_r * 1_000_000).floor), **options)
    end

    # Destroy what is known of a subject: inputs, results and errors of all tasks with the tag
    # "subject:SUBJECT". States and the audit log stay, every proof still holds, and the log keeps who
    # asked and why. The tasks cannot be taken up again.
    #
    # @param subject [String] without "subject:"
    # @param actor [String] who, for the audit log
    # @param reason [String] why, for the audit log
    # @param dry_run [Boolean] count them, and change nothing
    # @param quick [Boolean] do not rewrite the file; old copies may remain in unused room of it and in its log
    # @return [Erased]
    # @raise [IllegalTransitionError] a task of the subject has not ended; nothing is erased
    def erase(subject, actor:, reason:, dry_run: false, quick: false)
      task_erase(subject, actor, reason, dry_run: dry_run, quick: quick)
    end

    private

    def task_id_of(task)
      Task === task ? task.id : task
    end
  end
end
