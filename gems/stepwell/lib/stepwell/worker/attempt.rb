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

      # @return [Claim]
      attr_reader :claim
      # @return [Context]
      attr_reader :context
      # @return [Array, nil] the row to report
      attr_reader :outcome
      # @return [Float, nil] when the worker learned that the step is held no longer
      attr_accessor :lost_at

      # @param claim [Claim]
      # @param handler [Handler]
      def initialize(claim, handler)
        @claim = claim
        @handler = handler
        @context = Context.new(claim)
        @pid = Process.pid
        @outcome = nil
        @refused = false
        @lost_at = nil
      end

      # @return [Array(Integer, Integer)]
      def hold
        [claim.step_id, claim.epoch]
      end

      # Run the handler. Leaves {outcome} behind even when the handler ends its thread.
      def run
        @outcome = failed("ThreadError", "the handler ended its thread", nil)
        value = handle
        @outcome = succeeded(value)
      rescue Exception => e # a handler may raise anything, SystemExit and NoMemoryError included
        @outcome = failure(e)
      ensure
        leave_fork
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
        Thread.handle_interrupt(Object => :immediate) { @handler.call(context) }
      end

      def succeeded(value)
        [*hold, :succeeded, value.nil? ? nil : Payload.dump(value)]
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

      # A child that came back from a handler that forked is no worker.
      def leave_fork
        Process.exit!(0) unless Process.pid == @pid
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
