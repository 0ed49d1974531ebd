# frozen_string_literal: true

module Stepwell
  # One execution of a workflow. What it says is read from the store when asked, until the task has
  # ended.
  class Task
    # @return [String] UUID
    attr_reader :id

    # @return [Engine]
    attr_reader :engine

    # @param engine [Engine]
    # @param id [String] UUID
    # @param created [Boolean] whether the call that answers it has made it
    def initialize(engine, id, created: false)
      @engine = engine
      @id = id
      @created = created
      @row = nil
    end

    # @return [Boolean] whether the call that answered this object made the task; false when its key named
    #   one that was there
    def created?
      @created
    end

    # @return [TaskRow]
    # @raise [NotFoundError]
    def row
      @row = engine.get(id) unless @row&.ended?
      @row
    end

    # @return [Symbol] one of {TASK_STATES}
    def status
      row.state
    end

    # @return [String] name of the workflow
    def workflow
      row.workflow
    end

    # @return [Object] the input, frozen
    def input
      row.input
    end

    # @return [String, nil] id of the task that started this one; it may have been pruned
    def parent_id
      row.parent_id
    end

    # @return [Array<StepRow>] in topological order
    def steps
      row.steps
    end

    # @param name [Symbol, String]
    # @return [StepRow]
    # @raise [KeyError] the workflow has no such step
    def step(name)
      row.step(name) || raise(KeyError.new("#{workflow} has no step #{name}", receiver: self, key: name))
    end

    # @param step [Symbol, String]
    # @return [Object] what the step's handler returned, frozen; nil until it succeeded
    # @raise [KeyError] the workflow has no such step
    def result(step)
      step(step).result
    end

    # @return [Boolean]
    def ended?
      row.ended?
    end

    # @return [Boolean]
    def succeeded?
      status == :succeeded
    end

    # @return [Boolean]
    def failed?
      status == :failed
    end

    # Why the task, or one step of it, does not go on.
    #
    # @param step [Symbol, String, nil]
    # @return [String] a sentence per line, empty when there is nothing to say
    def explain(step = nil)
      reasons(step).join("\n")
    end

    # @param step [Symbol, String, nil]
    # @return [Array<Reason>]
    def reasons(step = nil)
      engine.explain(id, step)
    end

    # @return [TaskContext] where the task stands: how it goes on, what blocks it, what comes next
    def context
      engine.get_task_execution_context(self)
    end

    # When the task ends, and what a change would do to that. See {Engine#forecast}.
    #
    # @return [Forecast]
    def forecast(**options)
      engine.forecast(id, **options)
    end

    # The task as it stands, drawn. See {Engine#picture}.
    #
    # @return [String]
    def picture(**options)
      engine.picture(self, **options)
    end

    # Its attempts along a time line. See {Engine#gantt}.
    #
    # @return [String]
    def gantt(**options)
      engine.gantt(self, **options)
    end

    # Wait until the task has ended.
    #
    # @param timeout [Numeric, nil] seconds, nil without end
    # @return [self]
    # @raise [WaitTimeoutError]
    def wait(timeout: nil)
      @row = engine.wait(id, timeout && (timeout * 1000).ceil)
      self
    end

    # Cancel every step that has not ended. A handler that runs can read it from
    # {Context#cancelled?}; its result is not kept.
    #
    # @param by [String, nil] who, for the audit log
    # @param reason [String, nil] why, for the audit log
    # @return [self]
    # @raise [IllegalTransitionError] the task has ended
    def cancel!(by: nil, reason: nil)
      engine.cancel([[id, by, reason]])
      reload
    end

    # The task as one file: definition, states, payloads, all that the audit log says of it, and proofs.
    # It is verified and looked at anywhere, without the database.
    #
    # @param path [String, #to_path, nil] where to write it; nil: nowhere
    # @param checkpoint [String, AuditCheckpoint, nil] what the proofs lead to; nil: to a root that nobody
    #   has signed
    # @return [TaskFile]
    # @raise [AuditError] the log is not the one of the checkpoint
    def export(path = nil, checkpoint: nil)
      TaskFile.of(self, path, checkpoint)
    end

    # @return [TaskAudit] what the audit log says of the task, and proofs of it
    def audit
      TaskAudit.new(engine, id)
    end

    # Append an event to the stream of the task. See {Events#append_event}.
    #
    # @return [Appended]
    def append(type, data = nil, **options)
      engine.append_event(self, type, data, **options)
    end

    # The events of the task. See {Events#events}.
    #
    # @return [Enumerator::Lazy<Event>]
    def events(**filter)
      engine.events(task: self, **filter)
    end

    # @return [Integer] the version of its stream: the position of its newest event
    def version
      engine.event_replay(id).position
    end

    # The task as it was once the event at a position had happened.
    #
    # @param position [Integer]
    # @return [TaskPast]
    # @raise [NotFoundError] it was not there yet
    def as_of(position)
      engine.event_replay(id, position)
    end

    # @return [Array<AuditEntry>] everything that happened to the task, oldest first
    def history
      engine.audit_task(id)
    end

    # Read the task again, even when it has ended.
    #
    # @return [self]
    def reload
      @row = engine.get(id)
      self
    end

    # @return [Boolean] whether both are the same task
    def ==(other)
      other.is_a?(Task) && other.id == id
    end
    alias eql? ==

    # @return [Integer]
    def hash
      id.hash
    end

    # @return [String] like "#<Stepwell::Task 0192… order succeeded 5/5 in 2.1 s>"
    def inspect
      "#<Stepwell::Task #{id} #{summary}>"
    end
    alias to_s inspect

    private

    def summary
      now = row
      counts = now.step_counts
      text = "#{now.workflow} #{now.state} #{counts.fetch(:succeeded, 0)}/#{now.step_count}"
      return text unless now.ended?

      format("%<text>s in %<seconds>.1f s", text: text, seconds: (now.finished_us - now.created_us) / 1e6)
    rescue Error => e
      "(#{e.message})"
    end
  end
end
