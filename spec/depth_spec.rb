# frozen_string_literal: true

require_relative "spec_helper"

# Nesting as deep as the limit and far beyond it, inside a Fiber: its machine stack is small, and
# running over it would be a jump out of the middle of C, or a crash.
RSpec.describe "Nesting inside a Fiber" do
  beyond = [65, 128, 2048, 100_000].freeze

  # What the block answers, or raises, inside a Fiber.
  def in_fiber(&block)
    Fiber.new(&block).resume
  end

  # Text of lists or maps in each other.
  def nested(open, close, depth) = "#{open * depth}1#{close * depth}"

  def lists(depth) = nested("[", "]", depth)
  def maps(depth) = nested('{"a":', "}", depth)

  # A definition that is `depth` deep; four levels lie around the parameter.
  def deep_definition(value_of, depth)
    %({"stepwell":1,"name":"w","steps":[{"name":"a","parameters":{"p":#{value_of.call(depth - 4)}}}]})
  end

  shapes = { "lists" => :lists, "maps" => :maps }
  shapes.each do |name, shape|
    it "reads definitions of #{name} up to the limit and refuses deeper ones" do
      engine = open_engine
      in_fiber do
        engine.register(deep_definition(method(shape), 64))
        beyond.each do |depth|
          expect { engine.register(deep_definition(method(shape), depth)) }
            .to raise_error(Stepwell::LimitError, /64/)
        end
      end
      expect(engine.workflow("w").json).to include(%({"p":#{method(shape).call(60)}}))
    end

    STORES.each do |store|
      it "takes inputs and results of #{name} up to the limit on #{store} and refuses deeper ones" do
        engine = open_engine(store)
        in_fiber do
          engine.register(deep_definition(method(shape), 64))
          beyond.each do |depth|
            text = method(shape).call(depth)
            expect { engine.submit([{ workflow: "w", input_json: text }]) }
              .to raise_error(Stepwell::InvalidArgumentError, /64/)
          end
          engine.submit([{ workflow: "w", input_json: method(shape).call(64) }])
          row = claim(engine).first
          beyond.each do |depth|
            answer = [row.step_id, row.epoch, :succeeded, method(shape).call(depth)]
            expect { engine.update_batch([answer]) }.to raise_error(Stepwell::InvalidArgumentError, /64/)
          end
          engine.update_batch([[row.step_id, row.epoch, :succeeded, method(shape).call(64)]])
          expect(engine.task(row.task_id).result("a").to_s.count("1")).to eq(1)
          expect(engine.audit_verify.ok).to be(true)
        end
      end
    end
  end

  it "refuses YAML whose brackets and lists never end" do
    engine = open_engine
    in_fiber do
      ["- ", "[", "{a: [", "- a: [", "? "].each do |open|
        expect { engine.register("stepwell: 1\nsteps: #{open * 100_000}") }
          .to raise_error(an_instance_of(Stepwell::LimitError).or(an_instance_of(Stepwell::DefinitionError)))
      end
    end
  end

  it "refuses Ruby values of any depth, or such that contain themselves" do
    circle = { "a" => [] }
    circle["a"] << circle
    deep = 100_000.times.reduce(1) { |value, level| level.even? ? [value] : { "a" => value } }
    in_fiber do
      [circle, deep].each do |value|
        expect { Stepwell::Payload.dump(value) }.to raise_error(Stepwell::PayloadError, /64 levels/)
      end
    end
  end
end
