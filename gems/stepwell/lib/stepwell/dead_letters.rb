# frozen_string_literal: true

module Stepwell
  # A step that has failed for good and holds up or failed its task: what went wrong, two ways out.
  # It is a picture of one moment; a letter that somebody else has dealt with refuses both.
  class DeadLetter
    # @return [DeadRow]
    attr_reader :row

    %i[step_id task_id workflow version step handler queue error_class error_message error_detail
       failed_us attempt max_attempts crashes task_state].each do |field|
      define_method(field) { @row.public_send(field) }
    end

    # @param engine [Engine]
    # @param row [DeadRow]
    def initialize(engine, row)
      @engine = engine
      @row = row
    end

    # @return [Time] when it failed
    def failed_at
      Time.at(0, failed_us, :microsecond)
    end

    # @return [Task]
    def task
      Task.new(@engine, task_id)
    end

    # Try the step again at once, for the attempts that are left or one more; its task goes on, with
    # the steps that were cancelled because it had failed (on_failure: :fail_task).
    #
    # @param actor [String] who, for the audit log
    # @param reason [String] why, for the audit log
    # @return [Overridden]
    # @raise [IllegalTransitionError] the step has not failed any more
    def retry(actor:, reason:)
      @engine.override([[step_id, :ready, actor, reason]]).first
    end

    # Declare the step done; the steps that depend on it read the result, and its task goes on.
    #
    # @param result [Object] anything that {Payload} can write
    # @param actor [String] who, for the audit log
    # @param reason [String] why, for the audit log
    # @return [Overridden]
    # @raise [IllegalTransitionError] the step has not failed any more
    def resolve(result = nil, actor:, reason:)
      @engine.override([[step_id, :resolved, actor, reason, Payload.dump(result)]]).first
    end

    # @return [String]
    def inspect
      "#<Stepwell::DeadLetter #{workflow} #{step} #{error_class}>"
    end
  end

  # Dead letters of all tasks; {Engine} includes it. Filters are workflow, handler, step and
  # error_class (Strings that match as a whole), failed_after (that time or later) and failed_before
  # (Times).
  module DeadLetters
    BATCH = 1000
    private_constant :BATCH

    # @param limit [Integer] at most 10,000
    # @param after [DeadLetter, nil] the next page: only those behind this letter
    # @param filter [Hash]
    # @return [Array<DeadLetter>] newest first
    def dead_letters(limit: 100, after: nil, **filter)
      rows = dead_list(limit: limit, **dead_place(after), **dead_filter(**filter))
      rows.map { |row| DeadLetter.new(self, row) }
    end

    # @param filter [Hash]
    # @return [Array<DeadGroup>] how many there are of each error class and handler, most first
    def count_dead_letters(**filter)
      dead_count(**dead_filter(**filter))
    end

    # Try all again that a filter finds, a thousand in one transaction; {#dead_letters} with the same
    # filter shows them before. Without a filter it means every one. Steps that were cancelled
    # because one had failed go on with it, and are not among the rows.
    #
    # @param actor [String] who, for the audit log
    # @param reason [String] why, for the audit log
    # @param limit [Integer, nil] at most so many; nil for all
    # @param filter [Hash]
    # @return [BatchUpdate]
    def retry_dead_letters(actor:, reason:, limit: nil, **filter)
      override_dead_letters(:ready, actor, reason, nil, limit, dead_filter(**filter))
    end

    # Declare all done that a filter finds, likewise.
    #
    # @param result [Object] what dependents read: anything that {Payload} can write
    # @param actor [String] who, for the audit log
    # @param reason [String] why, for the audit log
    # @param limit [Integer, nil] at most so many; nil for all
    # @param filter [Hash]
    # @return [BatchUpdate]
    def resolve_dead_letters(result = nil, actor:, reason:, limit: nil, **filter)
      json = Payload.dump(result)
      override_dead_letters(:resolved, actor, reason, json, limit, dead_filter(**filter))
    end

    private

    def dead_filter(failed_after: nil, failed_before: nil, **texts)
      times = { failed_after_us: failed_after, failed_before_us: failed_before }.compact
      times.transform_values! { |time| (time.to_r * 1_000_000).floor }
      texts.merge(times)
    end

    def dead_place(letter)
      letter ? { after_us: letter.failed_us, after_step_id: letter.step_id } : {}
    end

    def override_dead_letters(state, actor, reason, json, limit, filter)
      changed = []
      letters = nil
      until letters && letters.size < BATCH
        size = limit ? [limit - changed.size, BATCH].min : BATCH
        break unless size.positive?

        place = dead_place(letters&.last)
        letters, rows = dead_override(state, actor, reason, json, limit: size, **place, **filter)
        changed.concat(rows)
      end
      BatchUpdate.new(changed.count(&:applied?), changed).freeze
    end
  end
end
