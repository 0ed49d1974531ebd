# frozen_string_literal: true

module Stepwell
  # What makes two submissions the same task, by the names that Tasker's users know.
  #
  # - :strict, the input: the same input of the same workflow, with the keys of its objects in any
  #   order, is the same task.
  # - :caller_provided, the key that the caller gives, and has to give.
  # - :always_unique, nothing: every submission is a task of its own.
  module Identity
    STRATEGIES = %i[strict caller_provided always_unique].freeze

    class << self
      # @param input [Object]
      # @param key [String, nil]
      # @param strategy [Symbol, nil] nil: by the key when there is one
      # @return [Hash{Symbol => String}] :input_json and :key of a row of {Engine#submit}
      # @raise [InvalidArgumentError] the key does not go with the strategy
      # @api private
      def row(input, key, strategy)
        check(key, strategy)
        text = Payload.dump(input)
        return { input_json: text, key: key } unless strategy == :strict

        require "digest" # adds a method to every object, so only for those who ask for this
        text = Payload.dump(sorted(JSON.parse(text, max_nesting: 0)))
        { input_json: text, key: "strict:#{Digest::SHA256.hexdigest(text)}" }
      end

      private

      def check(key, strategy)
        unless strategy.nil? || STRATEGIES.include?(strategy)
          raise InvalidArgumentError, "#{strategy.inspect} is no identity strategy; expected one of #{STRATEGIES.inspect}"
        end
        raise InvalidArgumentError, "the identity strategy :caller_provided needs a key" if strategy == :caller_provided && !key
        return unless key && %i[strict always_unique].include?(strategy)

        raise InvalidArgumentError, "the identity strategy #{strategy.inspect} takes no key"
      end

      def sorted(value)
        case value
        when Hash then value.sort.to_h { |name, item| [name, sorted(item)] }
        when Array then value.map { |item| sorted(item) }
        else value
        end
      end
    end
  end
end
