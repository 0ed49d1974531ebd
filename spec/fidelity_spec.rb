# frozen_string_literal: true

require_relative "spec_helper"

# What goes into a task as a value comes out of it the same, or is refused.
RSpec.describe Stepwell::Payload do
  nested = 60.times.reduce("x") { |value, level| level.even? ? [value] : { "k" => value } }

  values = {
    "nil" => nil, "true" => true, "false" => false,
    "the largest int64" => 2**63 - 1, "the smallest int64" => -2**63,
    "an Integer beyond 64 bits" => 2**200 + 1, "a negative one" => -(2**100),
    "zero" => 0.0, "a large Float" => 1e308, "a small Float" => 5e-324, "a third" => 1 / 3.0, "0.1" => 0.1,
    "a Float without a fraction" => 3.0,
    "an empty String" => "", "a String with a zero byte" => "a\u0000b", "quotes" => "\"\\/\b\f\n\r\t",
    "text of many scripts" => "grün ελ русский 日本語 👩‍👩‍👧 \u{10FFFF} \u2028",
    "an empty Array" => [], "an empty Hash" => {}, "an empty key" => { "" => 1 },
    "mixed" => { "a" => [1, 2.5, nil, { "b" => [] }], "ü" => "ß" },
    "60 levels" => nested, "64 levels" => 64.times.reduce(1) { |value, _| [value] }
  }

  values.each do |name, value|
    it "keeps #{name}" do
      expect(described_class.load(described_class.dump(value))).to eql(value).or eq(value)
    end
  end

  it "keeps the sign of zero and the kind of numbers" do
    expect(1 / described_class.load(described_class.dump(-0.0))).to eq(-Float::INFINITY)
    expect(described_class.load(described_class.dump([3, 3.0])).map(&:class)).to eq([Integer, Float])
  end

  it "writes Floats in their shortest form" do
    expect(described_class.dump([0.1, 1e22, 1e-7])).to eq("[0.1,1.0e+22,1.0e-07]")
  end

  STORES.each do |store|
    it "keeps everything through input and result on #{store}" do
      engine = open_engine(store)
      engine.register(definition({ "a" => {}, "b" => { "after" => ["a"] } }))
      values.each_value do |value|
        next if value == values["64 levels"] # one more level below: see the next example

        task = engine.start("w", [value])
        row = claim(engine).first
        expect(row.input).to eq([value])
        engine.update_batch([[row.step_id, row.epoch, :succeeded, described_class.dump([row.input])]])
        expect(task.input).to eq([value])
        expect(task.result("a")).to eq([[value]])
      end
    end

    it "takes #{described_class::DEPTH_MAX} levels on #{store}" do
      engine = open_engine(store)
      engine.register(definition({ "a" => {} }))
      expect(engine.start("w", values["64 levels"]).input).to eq(values["64 levels"])
    end
  end

  it "turns Symbols into Strings" do
    expect(described_class.load(described_class.dump({ a: :b }))).to eq({ "a" => "b" })
  end

  it "takes subclasses of the core classes as what they are" do
    text = Class.new(String).new("x")
    hash = Class.new(Hash).new.merge!("k" => text)
    expect(described_class.dump([hash])).to eq('[{"k":"x"}]')
  end

  it "gives back frozen values" do
    value = described_class.load('{"a":[{"b":"c"}]}')
    expect([value, value["a"], value["a"][0], value["a"][0]["b"]]).to all(be_frozen)
  end

  it "makes no objects from data" do
    expect(described_class.load('{"json_class":"String","raw":[1]}')).to eq({ "json_class" => "String", "raw" => [1] })
  end

  cyclic_array = [].tap { |array| array << array }
  cyclic_hash = {}.tap { |hash| hash["self"] = hash }
  refused = {
    "NaN" => [Float::NAN, /\$: NaN is not JSON/], "Infinity" => [[Float::INFINITY], /\$\[0\]: Infinity/],
    "-Infinity" => [{ "a" => -Float::INFINITY }, /\$\.a: -Infinity/],
    "invalid UTF-8" => ["\xff", /not valid UTF-8/], "an invalid key" => [{ "\xff" => 1 }, /not valid UTF-8/],
    "bytes" => ["\xff\x00".b, /binary String/], "UTF-16" => ["x".encode("UTF-16LE"), /call encode/],
    "Latin-1" => ["é".encode("ISO-8859-1"), /ISO-8859-1/],
    "an Object" => [Object.new, /a Object is not JSON/], "a BasicObject" => [BasicObject.new, /BasicObject/],
    "a Time" => [{ "at" => Time.at(0) }, /\$\.at: a Time is not JSON; call iso8601/],
    "a Struct" => [Struct.new(:a).new(1), /call to_h/], "a Range" => [1..2, /a Range/],
    "a Rational" => [1r, /call to_f/], "a Set" => [Set.new, /call to_a/],
    "an Integer key" => [{ 1 => 2 }, /a key is a Integer/], "a nil key" => [{ nil => 2 }, /a key is a NilClass/],
    "a key twice" => [{ a: 1, "a" => 2 }, /as a String and as a Symbol/],
    "an Array in itself" => [cyclic_array, /contains itself/], "a Hash in itself" => [cyclic_hash, /contains itself/],
    "65 levels" => [65.times.reduce(1) { |value, _| [value] }, /more than 64 levels/]
  }

  refused.each do |name, (value, message)|
    it "refuses #{name}" do
      expect { described_class.dump(value) }.to raise_error(Stepwell::PayloadError, message)
    end
  end

  it "takes ASCII text in any encoding" do
    expect(described_class.dump(["x".b, "x".encode("US-ASCII"), "x".encode("ISO-8859-1")])).to eq('["x","x","x"]')
  end

  it "is not confused by objects that pretend" do
    liar = Class.new do
      def to_json(*) = raise("asked")
      def to_s = raise("asked")
      def inspect = raise("asked")
    end
    expect { described_class.dump([liar.new]) }.to raise_error(Stepwell::PayloadError, /\$\[0\]/)
  end
end

RSpec.describe Stepwell::Document do
  let(:document) { Stepwell::Payload.load('{"a":1,"b":{"c":[{"d":2}]},"e":null}') }

  it "is read by String and by Symbol" do
    expect([document[:a], document["a"], document[:none]]).to eq([1, 1, nil])
    expect(document.fetch(:a)).to eq(1)
    expect(document.fetch(:none, 5)).to eq(5)
    expect(document.fetch(:none) { |key| key }).to eq("none")
    expect { document.fetch(:none) }.to raise_error(KeyError)
    expect([document.key?(:e), document.include?("e"), document.member?(:x)]).to eq([true, true, false])
    expect(document.dig(:b, :c, 0, :d)).to eq(2)
    expect(document.dig(:e, :x)).to be_nil
    expect(document.values_at(:a, "e")).to eq([1, nil])
    expect(document.fetch_values(:a)).to eq([1])
    expect(document.slice(:a)).to eq({ "a" => 1 })
    expect(document.except(:a, :b)).to eq({ "e" => nil })
  end

  it "matches patterns" do
    matched = (document in { a: Integer => number, b: { c: [{ d: }] } })
    expect([matched, number, d]).to eq([true, 1, 2])
    document => { a: 1, **rest }
    expect(rest.keys).to eq(%i[b e])
  end

  it "equals the plain Hash and makes one" do
    plain = { "a" => 1, "b" => { "c" => [{ "d" => 2 }] }, "e" => nil }
    expect(document).to eq(plain)
    expect(plain).to eq(document)
    expect(document.to_h.class).to eq(Hash)
    expect(JSON.generate(document)).to eq(JSON.generate(plain))
  end
end
