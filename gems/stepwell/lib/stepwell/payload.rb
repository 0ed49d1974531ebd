# frozen_string_literal: true

module Stepwell
  # Ruby values to JSON text and back, for inputs and results.
  #
  # What goes in comes out the same in Ruby and in Python: nil, true, false, Integers of any size,
  # finite Floats, Strings of valid UTF-8, Arrays, and Hashes with String or Symbol keys. Symbols
  # become Strings. Everything else is refused instead of being turned into something similar: a
  # Time, for example, has no form in JSON that would come back as a Time.
  module Payload
    # Levels of Arrays and Hashes in a value.
    DEPTH_MAX = 64

    PARSE_OPTIONS = {
      max_nesting: DEPTH_MAX, create_additions: false, allow_nan: false, freeze: true, object_class: Document
    }.freeze
    private_constant :PARSE_OPTIONS

    HINTS = {
      "Time" => "call iso8601(6) first", "Date" => "call iso8601 first", "DateTime" => "call iso8601(6) first",
      "BigDecimal" => "call to_s first", "Rational" => "call to_f or to_s first",
      "Set" => "call to_a first", "Struct" => "call to_h first", "Pathname" => "call to_s first"
    }.freeze
    private_constant :HINTS

    class << self
      # @param value [Object]
      # @return [String] JSON text
      # @raise [PayloadError] with the path of what cannot be written
      def dump(value)
        JSON.generate(plain(value, [], 0), max_nesting: 0)
      end

      # @param text [String, nil] JSON text; nil stands for null
      # @return [Object] frozen, with {Document}s for objects
      def load(text)
        text && JSON.parse(text, PARSE_OPTIONS)
      end

      private

      # A copy of value made of nothing but the core classes that JSON knows.
      def plain(value, path, depth)
        case value
        when String then plain_text(value, path)
        when Integer, true, false, nil then value
        when Symbol then plain_text(value.name, path)
        when Float then plain_float(value, path)
        when Hash then plain_hash(value, path, deeper(depth, path))
        when Array then plain_array(value, path, deeper(depth, path))
        else refuse(path, "a #{class_name(value)} is not JSON#{hint(value)}")
        end
      end

      def plain_text(value, path)
        return value.instance_of?(String) ? value : String.new(value) if utf8?(value)
        if value.encoding == Encoding::BINARY
          refuse(path, "a binary String is not JSON; encode it first, for example with [bytes].pack(\"m0\")")
        elsif value.valid_encoding?
          refuse(path, "a #{value.encoding} String is not JSON; call encode(\"UTF-8\") first")
        end
        refuse(path, "a String is not valid #{value.encoding}")
      end

      def utf8?(value)
        value.ascii_only? || (value.encoding == Encoding::UTF_8 && value.valid_encoding?)
      end

      def plain_float(value, path)
        value.finite? ? value : refuse(path, "#{value} is not JSON")
      end

      def plain_hash(hash, path, depth)
        hash.each_with_object({}) do |(key, value), copy|
          name = plain_key(key, path)
          refuse(path, "the key #{name.inspect} is there as a String and as a Symbol") if copy.key?(name)
          path.push(name)
          copy[name] = plain(value, path, depth)
          path.pop
        end
      end

      def plain_key(key, path)
        case key
        when String then plain_text(key, path)
        when Symbol then plain_text(key.name, path)
        else refuse(path, "a key is a #{class_name(key)}; JSON knows Strings only")
        end
      end

      def plain_array(array, path, depth)
        array.each_with_index.map do |value, index|
          path.push(index)
          copy = plain(value, path, depth)
          path.pop
          copy
        end
      end

      def deeper(depth, path)
        return depth + 1 if depth < DEPTH_MAX

        refuse(path.first(3), "more than #{DEPTH_MAX} levels, or a value that contains itself")
      end

      def refuse(path, message)
        place = path.reduce(+"$") { |text, part| text << (part.is_a?(Integer) ? "[#{part}]" : ".#{part}") }
        raise PayloadError.new("#{place}: #{message}", path: place)
      end

      # Works for a BasicObject too.
      def class_name(value)
        Kernel.instance_method(:class).bind_call(value).to_s
      end

      def hint(value)
        name = HINTS.keys.find { |candidate| kind_of?(value, candidate) }
        name ? "; #{HINTS.fetch(name)}" : ""
      end

      def kind_of?(value, name)
        Object.const_defined?(name) && Object.const_get(name) === value
      end
    end
  end
end
