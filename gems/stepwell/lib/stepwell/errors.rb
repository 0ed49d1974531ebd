# frozen_string_literal: true

# Exceptions. The extension has defined one class per code of the core; here they get their readers,
# and the classes that only the Ruby layer knows are added.
module Stepwell
  # Base class of everything this library raises, except NoMemoryError and Ruby's own TypeError,
  # RangeError and ArgumentError for arguments of the wrong kind.
  class Error
    # @return [Integer, nil] index of the row of a batch that is to blame
    attr_reader :row

    # @return [Symbol, nil] the code of the core, like :EBUSY
    def code
      self.class::CODE
    end
  end

  # A definition is wrong.
  class DefinitionError
    # All that is wrong with a definition, in the order of its text.
    #
    # @return [Array<Hash{Symbol => Object}>] :severity (:error or :warning), :line and :column
    #   (from 1, 0 where there is none), :path (like "steps[2].after[0]"), :message
    def findings
      @findings || []
    end

    # The nodes of a {Graph} that form a cycle, each depending on the one before it.
    #
    # @return [Array, nil]
    attr_reader :cycle
  end

  # Something has happened to a stream, or to a projection, since the caller has looked.
  class VersionConflictError
    # @return [Integer, nil] the version that the stream has; nil for a batch, whose message names it
    attr_reader :version

    # @return [Integer, nil] the version that was expected
    attr_reader :expected_version

    # @api private
    def with_versions(version, expected_version)
      @version = version
      @expected_version = expected_version
      self
    end
  end

  # The audit log does not verify.
  class AuditError
    # @return [AuditReport, nil] where the log stops to be trustworthy
    attr_reader :report
  end

  # A value cannot be written as JSON.
  class PayloadError < InvalidArgumentError
    # @return [String] where in the value, like "$.items[3]"
    attr_reader :path

    # @param message [String]
    # @param path [String]
    def initialize(message, path: "$")
      super(message)
      @path = path
    end
  end

  # A handler returned something that is not JSON. Recorded as the error of the step, which is not
  # retried.
  class ResultError < PayloadError; end

  # Raise it in a handler to fail the attempt and say when the next one may start, for example with
  # the value of a Retry-After header. Counts as a failed attempt.
  class RetryAfter < Error
    # @return [Numeric] seconds
    attr_reader :seconds

    # @param seconds [Numeric] wait at least so long
    # @param message [String]
    def initialize(seconds, message = "asked to be retried later")
      super(message)
      @seconds = seconds
    end
  end

  # Raise it in a handler to fail the step for good: no attempt follows.
  class GiveUp < Error; end
end
