# frozen_string_literal: true

module Stepwell
  class Worker
    # One claimed step on its way through its handler: runs it and makes the row to report, whatever
    # the handler does.
    #
    # @api private
    class Attempt
      # Kept bytes of what is said about an error, and lines of its backtrace.
      CLASS_MAX = 256
      MESSAGE_MAX = 8 * 1024
      DETAIL_MAX = 32 * 1024
      BACKTRACE_MAX = 200
      private_constant :CLASS_MAX, :MESSAGE_MAX, :DETAIL_MAX, :BACKTRACE_MAX

      # @return [Context]
      attr_reader :context
      # @return [Float, nil] when the worker learned that the step is held no longer
      attr_accessor :lost_at

      # Sets no more than three variables, and none that is seldom needed: an object with more has
      # to be given memory of its own, for every step that runs.
      #
      # @param claim [Claim]
      # @param handler [Handler]
      # @param engine [Engine, nil] for heartbeats
      def initialize(claim, handler, engine = nil)
        @context = Context.new(claim, engine)
        @handler = handler
      end

      # @return [Array(Integer, Integer)]
      def hold
        claim = @context.claim
        [claim.step_id, claim.epoch]
      end

      # Run the handler. Leaves {outcome} behind even when the handler ends its thread.
      def run
        forks = Engine.fork_count
        @outcome = :begun
        value = handle
        @outcome = succeeded(value)
      rescue Exception => e # a handler may raise anything, SystemExit and NoMemoryError included
        @outcome = failure(e)
      ensure
        # A child that came back from a handler that forked is no worker.
        Process.exit!(0) unless forks == Engine.fork_count
      end

      # @return [Array, nil] the row to report; nil when the handler has not begun
      def outcome
        @outcome == :begun ? failed("ThreadError", "the handler ended its thread", nil) : @outcome
      end

      # Replace the outcome by one that the engine can take, after it refused this one.
      #
      # @param error [Error]
      # @return [void]
      def refuse(error)
        @refused = true
        @outcome = failed(error.class.name, cut(error.message, MESSAGE_MAX), nil, :failed_for_good)
      end

      # @return [Boolean]
      def refused?
        @refused
      end

      # Give the step back unworked.
      def release
        @outcome = [*hold, :released]
      end

      private

      def handle
        Thread.handle_interrupt(Object => :immediate) { @handler.call(@context) }
      end

      def succeeded(value)
        claim = @context.claim
        [claim.step_id, claim.epoch, :succeeded, value.nil? ? nil : Payload.dump(value)]
      rescue PayloadError => e
        raise ResultError.new("#{@handler} returned #{e.message}", path: e.path)
      end

      def failure(error)
        retried = @handler.retry?(error) && !error.is_a?(ResultError) && !error.is_a?(GiveUp)
        row = failed(class_of(error), message_of(error), detail_of(error), retried ? :failed : :failed_for_good)
        row << (error.seconds.to_f * 1000).ceil if error.is_a?(RetryAfter) && retried
        row
      end

      def failed(name, message, detail, outcome = :failed)
        [*hold, outcome, nil, name, message, detail]
      end

      # Methods of an exception are user code, so they may raise too.

      def class_of(error)
        cut(error.class.to_s, CLASS_MAX)
      rescue StandardError
        "Exception"
      end

      def message_of(error)
        cut(error.message.to_s, MESSAGE_MAX)
      rescue StandardError => e
        "its message could not be read: #{e.class}"
      end

      def detail_of(error)
        cut(backtraces(error).join("\n"), DETAIL_MAX)
      rescue StandardError
        nil
      end

      def backtraces(error)
        lines = []
        while error && lines.size < BACKTRACE_MAX
          lines << "#{class_of(error)}: #{message_of(error)}"
          lines.concat((error.backtrace || []).first(BACKTRACE_MAX).map { |line| "  #{line}" })
          error = error.cause
        end
        lines
      end

      # Valid UTF-8 of at most size bytes.
      def cut(text, size)
        text = text.b.force_encoding(Encoding::UTF_8) if text.encoding == Encoding::BINARY
        text.encode(Encoding::UTF_8, invalid: :replace, undef: :replace).byteslice(0, size).scrub("?")
      end
    end
  end
end
