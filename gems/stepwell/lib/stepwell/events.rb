# frozen_string_literal: true

module Stepwell
  # The event store of an engine; {Engine} includes it. A stream is a task, a position the number of
  # an entry of the audit log, and the version of a stream the position of its newest event. Types of
  # the engine's own events are like "step.completed"; docs/guide/events.md lists them.
  module Events
    PAGE = 1000
    private_constant :PAGE

    # Append one event to the stream of a task.
    #
    # @param task [Task, String] the task, or its UUID
    # @param type [String, Symbol] like "order.shipped"
    # @param data [Object] anything that {Payload} can write
    # @param expected_version [Integer, nil] the version that the stream must have; nil: any
    # @param key [String, nil] appending with a known key does nothing, and answers the first event
    # @param correlation_id [String, nil] found by it, besides that of its task
    # @param step [String, Symbol, nil] the step it is about
    # @param actor [String, nil] for the audit log, like the reason
    # @param reason [String, nil]
    # @return [Appended]
    # @raise [VersionConflictError] with the version that the stream has
    # @raise [ConflictError] the key is known with another type, data or correlation id
    # @raise [NotFoundError] no such task
    # @raise [IllegalTransitionError] the task was erased, or has no such step
    # @raise [PayloadError, InvalidArgumentError, LimitError]
    def append_event(task, type, data = nil, expected_version: nil, **options)
      row = event_row([task, type, data, { expected_version: expected_version, **options }])
      appended = event_append([row], :partial).first
      return appended unless appended.refused?

      raise refusal_of(appended, expected_version)
    end

    # Append several in one transaction, each checked after those before it. To append several to one
    # stream at a version, expect it in the first only: nobody comes between.
    #
    # @param rows [Array<Array>] [task, type, data, options], options as for {#append_event}; the last
    #   two may be left out
    # @param mode [Symbol] one of {BATCH_MODES}; with :partial, a row that is refused leaves the others
    # @return [Array<Appended>] in the order of the rows
    # @raise [VersionConflictError, ConflictError, NotFoundError, IllegalTransitionError] with
    #   :all_or_nothing; #row says which
    # @raise [PayloadError, InvalidArgumentError, LimitError]
    def append_events(rows, mode: :all_or_nothing)
      raise TypeError, "rows must be an Array of Arrays" unless Array === rows

      event_append(rows.map { |row| event_row(row) }, mode)
    end

    # Events that match, page by page as they are asked for.
    #
    # @param after [Integer] behind this position
    # @param before [Integer, nil] in front of this position
    # @param types [Array<String, Symbol>, String, Symbol, nil] any of these
    # @param task [Task, String, nil]
    # @param correlation_id [String, nil] of the task, or of the event itself
    # @param since [Time, nil] at this time or later
    # @param until [Time, nil] before this time
    # @param newest_first [Boolean]
    # @param limit [Integer, nil] at most so many
    # @return [Enumerator::Lazy<Event>]
    def events(newest_first: false, limit: nil, **filter)
      known = event_filter(**filter)
      Enumerator.new do |events|
        each_event_page(newest_first, limit, known) { |page| page.each { |event| events << event } }
      end.lazy
    end

    # The same from a position on, without end: waits for what comes. Break out of it, or give a
    # timeout.
    #
    # @param after [Integer] behind this position
    # @param timeout [Numeric, nil] seconds without a new event after which it ends; nil: never
    # @param filter [Hash] types, task and correlation_id, as for {#events}
    # @return [Enumerator::Lazy<Event>]
    def follow_events(after: 0, timeout: nil, **filter)
      known = event_filter(**filter)
      wait_ms = timeout && (timeout * 1000).ceil
      Enumerator.new do |events|
        loop do
          newest = event_wait(after, wait_ms)
          break if newest <= after

          found = known.merge(after: after, before: newest + 1)
          each_event_page(false, nil, found) { |page| page.each { |event| events << event } }
          after = newest
        end
      end.lazy
    end

    # @return [Array<ProjectionRow>] all projections that are kept, by name
    def projections
      projection_list
    end

    private

    def event_row(row)
      task, type, data, options = Array === row ? row : raise(TypeError, "the row of an event must be an Array")
      raise TypeError, "the options of an event must be a Hash" unless nil.equal?(options) || Hash === options

      options = options.to_h.dup
      fields = %i[expected_version key correlation_id step actor reason].map { |name| options.delete(name) }
      raise ArgumentError, "unknown keyword: #{options.keys.first.inspect}" unless options.empty?

      fields[3] = fields[3].to_s if Symbol === fields[3]
      [id_of(task), Symbol === type ? type.to_s : type, NilClass === data ? nil : Payload.dump(data), *fields]
    end

    def id_of(task)
      Task === task ? task.id : task
    end

    def event_filter(types: nil, task: nil, since: nil, **rest)
      until_time = rest.delete(:until)
      filter = rest.compact
      filter[:types] = Array(types).map { |type| Symbol === type ? type.to_s : type } if types
      filter[:task_id] = id_of(task) if task
      filter[:after_us] = (since.to_r * 1_000_000).floor if since
      filter[:before_us] = (until_time.to_r * 1_000_000).floor if until_time
      filter
    end

    def each_event_page(newest_first, limit, filter)
      left = limit
      loop do
        size = left ? [left, PAGE].min : PAGE
        break unless size.positive?

        page = event_list(**filter, newest_first: newest_first, limit: size)
        yield page
        break if page.size < size

        left -= page.size if left
        filter = filter.merge(newest_first ? :before : :after => page.last.position)
      end
    end

    REFUSALS = { EOUTDATED: VersionConflictError, ECONFLICT: ConflictError, ENOTFOUND: NotFoundError,
                 ESTATE: IllegalTransitionError }.freeze
    private_constant :REFUSALS

    def refusal_of(appended, expected_version)
      error = REFUSALS.fetch(appended.code).new(appended.message)
      return error unless VersionConflictError === error

      error.with_versions(appended.version, expected_version)
    end
  end
end
