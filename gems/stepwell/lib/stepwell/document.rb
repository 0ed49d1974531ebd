# frozen_string_literal: true

module Stepwell
  # A JSON object as handlers see it: a frozen Hash with String keys that may also be read by Symbol.
  #
  # It equals the plain Hash with the same content, and to_h makes one.
  #
  # @example
  #   ctx.input[:order_id]          # the same as ctx.input["order_id"]
  #   ctx.input => { order_id: }    # pattern matching takes Symbols
  class Document < Hash
    # @param key [String, Symbol]
    # @return [Object, nil]
    def [](key)
      super(text(key))
    end

    # @raise [KeyError] as Hash#fetch
    def fetch(key, *default, &block)
      super(text(key), *default, &block)
    end

    # @param key [String, Symbol]
    def key?(key)
      super(text(key))
    end
    alias has_key? key?
    alias include? key?
    alias member? key?

    # @return [Object, nil] the value at the end of a path of keys and indices
    def dig(key, *path)
      value = self[key]
      path.empty? || value.nil? ? value : value.dig(*path)
    end

    # @return [Array]
    def values_at(*keys)
      super(*keys.map { |key| text(key) })
    end

    # @return [Array]
    def fetch_values(*keys, &block)
      super(*keys.map { |key| text(key) }, &block)
    end

    # @return [Hash] the given keys, as Strings
    def slice(*keys)
      super(*keys.map { |key| text(key) })
    end

    # @return [Hash] all but the given keys
    def except(*keys)
      super(*keys.map { |key| text(key) })
    end

    # Pattern matching with Symbol keys.
    #
    # @return [Hash{Symbol => Object}]
    def deconstruct_keys(keys)
      return transform_keys(&:to_sym) unless keys

      keys.each_with_object({}) { |key, found| found[key] = self[key] if key?(key) }
    end

    private

    def text(key)
      key.is_a?(Symbol) ? key.name : key
    end
  end
end
