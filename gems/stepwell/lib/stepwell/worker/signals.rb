# frozen_string_literal: true

module Stepwell
  class Worker
    # Signals as bytes in a pipe, because a trap handler may not take a lock. Restores the handlers
    # that were there before.
    #
    # @api private
    class Signals
      # @param names [Array<String>] like "TERM"
      # @yieldparam signals [Signals]
      def self.trapping(names)
        signals = new(names)
        yield signals
      ensure
        signals&.restore
      end

      def initialize(names)
        @reader, @writer = IO.pipe
        @previous = names.to_h { |name| [name, Signal.trap(name) { arrived }] }
      end

      # @param seconds [Float]
      # @return [Boolean] whether a signal has come; each counts once
      def wait(seconds)
        return false unless IO.select([@reader], nil, nil, seconds)

        @reader.read_nonblock(1, exception: false) != :wait_readable
      end

      # @return [void]
      def restore
        @previous.each { |name, handler| Signal.trap(name, handler || "DEFAULT") }
        @reader.close
        @writer.close
      end

      private

      def arrived
        @writer.write_nonblock(".", exception: false)
      end
    end
  end
end
