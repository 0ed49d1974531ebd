# frozen_string_literal: true

module Stepwell
  # A fold over events, kept with the position it has reached. Subclasses say what each type of event
  # does to a state, a Hash of what JSON knows, which handlers change in place.
  #
  # Position and state are saved together, so that an event counts once, whatever is killed when; of
  # two processes that fold the same events one is refused, and takes up what the other has saved.
  #
  # @example
  #   class Revenue < Stepwell::Projection
  #     on "order.paid" do |state, event|
  #       state["total"] = state.fetch("total", 0) + event.data[:cents]
  #     end
  #   end
  #
  #   Revenue.catch_up(engine).state # => {"total" => 4200}
  class Projection
    # Where a projection stands: its position and its state.
    Snapshot = Struct.new(:position, :state)

    BATCH = 1000
    private_constant :BATCH

    class << self
      # Name under which it is kept; unless one is given, that of the class.
      #
      # @param name [String, nil] set it
      # @return [String]
      def projection_name(name = nil)
        @projection_name = name if name
        @projection_name || self.name || raise(InvalidArgumentError, "a class without a name needs projection_name")
      end

      # Version of the code: with another one the projection begins anew.
      #
      # @param version [String, Integer, nil] set it
      # @return [String] "1" unless it was set
      def version(version = nil)
        @version = version.to_s if version
        @version || "1"
      end

      # What the state is before the first event; {} unless a block says.
      #
      # @yieldreturn [Hash]
      # @return [void]
      def initial(&block)
        @initial = block
      end

      # What events of some types do.
      #
      # @param types [Array<String, Symbol>]
      # @yieldparam state [Hash] to be changed in place; keys are Strings
      # @yieldparam event [Event]
      # @return [void]
      def on(*types, &block)
        raise ArgumentError, "on needs a type and a block" if types.empty? || block.nil?

        types.each { |type| handlers[type.to_s] = block }
      end

      # Fold all events that have come, a thousand in one transaction.
      #
      # @param engine [Engine]
      # @param batch [Integer] events in one transaction, at most 10,000
      # @return [Snapshot]
      # @raise [ProjectionError] a handler raised; the events of its transaction do not count
      def catch_up(engine, batch: BATCH)
        row = open(engine)
        newest = engine.event_wait(0, 0)
        while row.position < newest
          begin
            row = fold_batch(engine, row, newest, batch)
          rescue VersionConflictError
            row = open(engine) # another process, an erasure or another version was quicker
          end
        end
        snapshot_of(row)
      end

      # Catch up, and again whenever something comes, until the block breaks or the time is over.
      #
      # @param engine [Engine]
      # @param timeout [Numeric, nil] seconds without a new event after which it ends; nil: never
      # @yieldparam snapshot [Snapshot] after each time
      # @return [Snapshot]
      # @raise [ProjectionError]
      def run(engine, timeout: nil, batch: BATCH)
        loop do
          snapshot = catch_up(engine, batch: batch)
          yield snapshot if block_given?
          newest = engine.event_wait(snapshot.position, timeout && (timeout * 1000).ceil)
          return snapshot if newest <= snapshot.position
        end
      end

      # Begin anew with the first event.
      #
      # @param engine [Engine]
      # @return [Snapshot]
      # @raise [ProjectionError]
      def rebuild(engine, batch: BATCH)
        begin
          engine.projection_delete(projection_name)
        rescue NotFoundError
          nil # it has not begun yet
        end
        catch_up(engine, batch: batch)
      end

      # Where it stands, without folding anything.
      #
      # @param engine [Engine]
      # @return [Snapshot]
      def snapshot(engine)
        snapshot_of(open(engine))
      end

      # What the state was once the event at a position had happened. Begins at what is kept when that
      # is not behind the position, else with the first event; nothing is kept.
      #
      # @param engine [Engine]
      # @param position [Integer]
      # @return [Snapshot]
      # @raise [ProjectionError]
      def at(engine, position)
        kept = snapshot(engine)
        kept = snapshot_of(nil) if kept.position > position
        engine.events(after: kept.position, before: position + 1, types: types).each { |event| apply(kept.state, event) }
        Snapshot.new(position, kept.state)
      end

      private

      def inherited(subclass)
        super
        subclass.instance_variable_set(:@handlers, handlers.dup)
        subclass.instance_variable_set(:@initial, @initial)
      end

      def handlers
        @handlers ||= {}
      end

      def types
        raise InvalidArgumentError, "#{self} has no handler; say what happens on an event" if handlers.empty?

        handlers.keys
      end

      def open(engine)
        engine.projection_open(projection_name, version)
      end

      def snapshot_of(row)
        text = row&.state_json
        Snapshot.new(row ? row.position : 0, text ? JSON.parse(text, max_nesting: Payload::DEPTH_MAX) : fresh)
      end

      # Through JSON, so that the first state is like all later ones.
      def fresh
        JSON.parse(Payload.dump(@initial ? @initial.call : {}))
      end

      def apply(state, event)
        handlers.fetch(event.type).call(state, event)
      rescue StandardError => e
        raise ProjectionError.new(self, event, e)
      end

      def fold_batch(engine, row, newest, batch)
        state = snapshot_of(row).state
        page = engine.event_list(after: row.position, before: newest + 1, types: types, limit: batch)
        page.each { |event| apply(state, event) }
        position = page.size < batch ? newest : page.last.position
        text = Payload.dump(state)
        engine.projection_save(projection_name, row.epoch, row.position, position, text)
        row.dup.tap { |saved| saved.position = position; saved.state_json = text }.freeze
      end
    end
  end

  # A handler of a projection raised; #cause is what it raised.
  class ProjectionError < Error
    # @return [Class] of the projection
    attr_reader :projection

    # @return [Event]
    attr_reader :event

    # @param projection [Class]
    # @param event [Event]
    # @param error [Exception]
    def initialize(projection, event, error)
      super("#{projection.projection_name}: event #{event.position} (#{event.type}): #{error.class}: #{error.message}")
      @projection = projection
      @event = event
    end
  end
end
