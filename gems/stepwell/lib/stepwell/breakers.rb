# frozen_string_literal: true

module Stepwell
  # Circuit breakers of external services, which steps name; {Engine} includes it.
  module Breakers
    # Every breaker that a registered workflow names.
    #
    # @return [Array<BreakerRow>] by name
    def breakers
      breaker_list
    end

    # Open a breaker by hand: steps that name it are not started; those that run go on.
    #
    # @param name [Symbol, String]
    # @param actor [String] who, for the audit log
    # @param reason [String] why, for the audit log
    # @param seconds [Numeric, nil] so long, then probes follow; nil: until it is closed by hand
    # @return [BreakerRow] what it is after that
    # @raise [NotFoundError] no registered workflow names it
    # @raise [InvalidArgumentError]
    def open_breaker(name, actor:, reason:, seconds: nil)
      open_ms = seconds && (seconds.to_r * 1000).round
      raise InvalidArgumentError, "seconds is #{seconds}, expected more than 0" if open_ms && open_ms < 1

      breaker_override([[name.to_s, :open, actor, reason, open_ms]]).first
    end

    # Close a breaker by hand: nothing is counted against it any more.
    #
    # @param (see #open_breaker)
    # @return [BreakerRow]
    # @raise [NotFoundError] no registered workflow names it
    def close_breaker(name, actor:, reason:)
      breaker_override([[name.to_s, :closed, actor, reason]]).first
    end
  end
end
