# frozen_string_literal: true

require_relative "spec_helper"

# Every argument of every method of the extension gets every kind of wrong value. Nothing may crash,
# hang or come out as anything but a typed exception.
RSpec.describe Stepwell::Engine, "and values of wrong kinds" do
  # Answers every question with an exception.
  hostile = Class.new do
    %i[to_s to_str to_int to_i to_a to_ary to_h to_hash to_proc to_path to_sym inspect == hash coerce to_json].each do |name|
      define_method(name) { |*| raise "#{name} was called" }
    end
  end
  cyclic_array = [].tap { |array| array << array }
  cyclic_hash = {}.tap { |hash| hash[:self] = hash }
  string_subclass = Class.new(String) { def to_s = raise("to_s was called") }

  values = {
    "nil" => nil, "true" => true, "0" => 0, "-1" => -1, "2**31" => 2**31, "2**63" => 2**63, "2**70" => 2**70,
    "-2**70" => -(2**70), "1.5" => 1.5, "NaN" => Float::NAN, "Infinity" => Float::INFINITY, "1r" => 1r,
    "an empty String" => "", "a String with NUL" => "a\0b", "invalid UTF-8" => "\xff\xfe", "bytes" => "\xff".b,
    "UTF-16" => "a".encode("UTF-16LE"), "a long String" => "x" * 100_000, "a String subclass" => string_subclass.new("x"),
    "a Symbol" => :other, "a Symbol of invalid bytes" => "\xff".b.to_sym, "an Array" => [], "a nested Array" => [[]],
    "an Array of nil" => [nil], "an Array of Hashes" => [{}], "a cyclic Array" => cyclic_array, "a frozen Array" => [1].freeze,
    "rows of wrong sizes" => [[1], [1, 2, 3, 4, 5, 6, 7, 8, 9]], "rows of hostile objects" => [[hostile.new] * 4],
    "rows of Floats" => [[1.5, Float::NAN, 2.5]], "a Hash" => {}, "a cyclic Hash" => cyclic_hash,
    "an Array with a cyclic Hash" => [cyclic_hash], "a hostile object" => hostile.new, "a BasicObject" => BasicObject.new,
    "a Class" => String, "a Proc" => proc {}, "an engine" => Stepwell::Engine.allocate
  }

  good_id = "01a1fa53-a1dc-76ad-9ffc-eb15f6879603"
  # Method => arguments that are right; each is replaced in turn.
  positional = {
    register_text: ["{}"], workflow: ["w", ""], submit: [[]], get: [good_id], wait: [good_id, 0], cancel: [[]],
    exchange: [1, [], 0, 0], update_batch: [[]], explain: [good_id, "a"], task_context: [[good_id]], step_readiness: [good_id],
    forecast: [good_id], override: [[[1, :ready, "ann", "why"]], :partial], dead_override: [:ready, "ann", "why", nil],
    breaker_override: [[["pay", :open, "ann", "why", 5]]], open_breaker: ["pay"], close_breaker: ["pay"], worker_renew: [1, []], heartbeat: [[]], worker_keep: [1], worker_close: [1],
    task_prune: [1], picture: [good_id], gantt: [good_id], durations: ["w"],
    event_append: [[[good_id, "note", "1", 2, "k", "c", "a", "ann", "why"]], :partial], event_wait: [0, 0], event_replay: [good_id, 1],
    append_event: [good_id, "note", 1], append_events: [[[good_id, "note", 1, {}]]],
    projection_open: %w[p 1], projection_save: ["p", 1, 0, 1, "{}"], projection_delete: ["p"],
    audit_task: [good_id], audit_list: [1, 1], audit_verify: [["a"], ["b"], [["p", "n", 1, 2]]], audit_seal: ["/no/key", nil], audit_prove: ["a", [1]],
    audit_rotate: ["/no/key", "/no/next", nil, nil], audit_anchor_put: ["file:/no/folder/a", "b", ["c"]],
    control_report: [:json, [:soc2], 1, 2, ["a"], ["b"]],
    task_erase: %w[a b c], audit_dump: [:csv, true], audit_prove_consistency: %w[a b], audit_export: ["/no/folder", "a"], task_export: [good_id, "a", "/no/folder/x"], register: ["{}"], start: ["w", nil]
  }
  keywords = {
    register_text: [["{}"], %i[strict source]], task_prune: [[1], %i[workflow states limit dry_run actor reason]],
    list: [[], %i[state workflow tag correlation_id before limit parent]],
    dead_list: [[], %i[workflow handler step error_class failed_after_us failed_before_us after_us after_step_id limit]],
    open_breaker: [["pay"], %i[actor reason seconds]], close_breaker: [["pay"], %i[actor reason]],
    dead_count: [[], %i[workflow handler step error_class failed_after_us failed_before_us]],
    task_erase: [%w[a b c], %i[dry_run quick]],
    event_list: [[], %i[after before types task_id correlation_id after_us before_us newest_first limit]],
    append_event: [[good_id, "note"], %i[expected_version key correlation_id step actor reason]],
    audit_search: [[], %i[kind actor step outcome correlation_id task_id after_us before_us after_entry_no limit]],
    audit_count: [[], %i[kind actor step outcome correlation_id task_id after_us before_us after_entry_no limit]],
    count: [[], %i[state workflow tag correlation_id parent]], worker_open: [[], %i[handlers name queues lease_ms]],
    forecast: [[good_id], %i[fail slower skip workers more_workers resources draws history calibrate]],
    picture: [[good_id], %i[format critical slack redundant durations direction title columns ascii color compact]],
    gantt: [[good_id], %i[format title columns width ascii color]], durations: [["w"], %i[version history]]
  }
  allowed = [TypeError, RangeError, ArgumentError, Stepwell::Error]

  let(:engine) { open_engine }

  # Call and tell what happened: "fine" or the exception.
  def try(method, *arguments, **options)
    engine.public_send(method, *arguments, **options)
    "fine"
  rescue StandardError => e
    e
  end

  # A path that could be opened.
  def names_a_file?(value)
    case value
    when String then value.encoding == Encoding::UTF_8 && value.valid_encoding? && !value.include?("\0")
    else false
    end
  end

  def expect_typed(outcome, allowed, what)
    return if outcome == "fine"

    expect(allowed.any? { |type| outcome.is_a?(type) }).to be(true), "#{what}: #{outcome.class}: #{outcome.message}"
    expect(outcome.message).to be_valid_encoding
  end

  positional.each do |method, right|
    right.each_index do |index|
      it "refuses them as argument #{index} of #{method}" do
        # A wait without end ends at once where there is an event.
        engine.register_text('{"stepwell":1,"name":"w","steps":[{"name":"a"}]}') if method == :event_wait
        values.each do |name, value|
          arguments = right.dup.tap { |copy| copy[index] = value }
          expect_typed(try(method, *arguments), allowed, "#{method} with #{name}")
        end
        expect(engine.info.sqlite).to be(false)
      end
    end
  end

  keywords.each do |method, (arguments, names)|
    names.each do |keyword|
      it "refuses them as #{keyword}: of #{method}" do
        values.each do |name, value|
          base = method == :worker_open ? { handlers: ["w.a"] } : {}
          expect_typed(try(method, *arguments, **base, keyword => value), allowed, "#{method} with #{keyword}: #{name}")
        end
      end
    end
  end

  { audit_keygen: ["example.com/x", "/no/folder/key"], audit_check: ["a", ["b"], ["c"]],
    audit_enrol: ["a", "/no/folder/key"], audit_anchor_get: ["file:/no/folder/a", "b"],
    audit_prove_export: ["/no/folder", nil, [1]], audit_prove_export_consistency: ["/no/folder", "a", nil],
    audit_verify_export: ["/no/folder", ["b"], ["c"], [["p", "n", 1, 2]], 2],
    task_file_verify: ["{}", "x", ["b"], ["c"], [["p", "n", 1, 2]]], task_file_open: ["{}", "x", 1] }.each do |method, right|
    it "refuses them as arguments of #{method}, which needs no engine" do
      right.each_index.to_a.product(values.to_a).each do |index, (name, value)|
        outcome = begin
          # A text that can be a path becomes a file.
          Dir.chdir(directory) { described_class.public_send(method, *right.dup.tap { |copy| copy[index] = value }) }
          "fine"
        rescue StandardError => e
          e
        end
        expect_typed(outcome, allowed, "argument #{index} of #{method} with #{name}")
      end
    end
  end

  it "refuses them in rows of submit" do
    engine.register(definition({ "a" => {} }))
    keys = %i[workflow version input_json key initiator reason correlation_id tags priority parent]
    keys.product(values.to_a).each do |key, (name, value)|
      expect_typed(try(:submit, [{ workflow: "w", key => value }]), allowed, "#{key}: #{name}")
      expect_typed(try(:submit, [{ workflow: "w", tags: [value] }]), allowed, "a tag: #{name}")
      keyed = {}.compare_by_identity.tap { |hash| hash[value] = 1 } # asks the key nothing
      expect_typed(try(:submit, [keyed]), allowed, "a key: #{name}")
    end
  end

  it "refuses them in rows of update_batch and exchange" do
    submit(engine)
    row = claim(engine).first
    (0..7).to_a.product(values.to_a).each do |index, (name, value)|
      report = [row.step_id, row.epoch, :released, nil, "E", "m", "d", 1]
      report[index] = value
      expect_typed(try(:update_batch, [report]), allowed, "element #{index}: #{name}")
      expect_typed(try(:exchange, @worker_id, [report], 0, 0), allowed, "element #{index}: #{name}")
    end
  end

  it "refuses them in rows of cancel and held steps" do
    id = submit(engine)
    values.each do |name, value|
      expect_typed(try(:cancel, [[value, "a", "r"]]), allowed, "task_id: #{name}")
      expect_typed(try(:cancel, [[good_id, value, "r"]]), allowed, "actor: #{name}")
      expect_typed(try(:worker_renew, 1, [[value, 1]]), allowed, "step_id: #{name}")
      expect_typed(try(:worker_renew, 1, [[1, value]]), allowed, "epoch: #{name}")
      expect_typed(try(:heartbeat, [[value, 1]]), allowed, "step_id of a heartbeat: #{name}")
      expect_typed(try(:heartbeat, [[1, value]]), allowed, "epoch of a heartbeat: #{name}")
    end
    expect(engine.get(id).state).to eq(:pending)
  end

  it "refuses them when opening" do
    values.each do |name, value|
      next if names_a_file?(value)

      outcome = begin
        described_class.new(value).close
        "fine"
      rescue StandardError => e
        e
      end
      expect(outcome).not_to eq("fine"), "store: #{name}"
      expect_typed(outcome, allowed, "store: #{name}")
    end
    %i[durability busy_timeout_ms payload_max must_exist].product(values.to_a).each do |key, (name, value)|
      outcome = begin
        described_class.new("memory:", key => value).close
        "fine"
      rescue StandardError => e
        e
      end
      expect_typed(outcome, allowed, "#{key}: #{name}")
    end
  end

  it "refuses wrong numbers of arguments and unknown keywords" do
    expect { engine.exchange(1) }.to raise_error(ArgumentError)
    expect { engine.submit }.to raise_error(ArgumentError)
    expect { engine.list(colour: 1) }.to raise_error(ArgumentError, /colour/)
    expect { engine.worker_open }.to raise_error(ArgumentError, /handlers/)
    expect { described_class.new }.to raise_error(ArgumentError)
  end

  it "names row and reason" do
    expect { engine.update_batch([[1, 1, :succeeded], [1, "x", :succeeded]]) }
      .to raise_error(TypeError, "row 1: epoch must be an Integer, not String")
    expect { engine.update_batch([[1, 1, :finished]]) }
      .to raise_error(Stepwell::InvalidArgumentError, '"finished" is no outcome; expected one of Stepwell::OUTCOMES')
    expect { engine.update_batch([[1, 1, :succeeded, "\xff"]]) }
      .to raise_error(Stepwell::InvalidArgumentError, "result_json is not valid UTF-8") { |error| expect(error.row).to eq(0) }
    expect { engine.get("x") }.to raise_error(Stepwell::InvalidArgumentError, "task_id is not a UUID of 36 characters")
    expect { engine.wait(good_id, 2**62) }.to raise_error(RangeError)
    expect { engine.list(state: :odd) }.to raise_error(Stepwell::InvalidArgumentError, '"odd" is no task state')
  end

  it "keeps its copy of a String that another thread changes" do
    submit(engine, { "a" => {} }, input_json: "1")
    row = claim(engine).first
    text = +"\"#{"x" * 200_000}\""
    changer = Thread.new { 200.times { text.replace("\xff" * 10) && Thread.pass } }
    begin
      engine.update_batch([[row.step_id, row.epoch, :succeeded, text]])
    rescue Stepwell::InvalidArgumentError
      nil # the change came first
    end
    changer.join
    expect(engine.audit_verify.ok).to be(true)
  end

  it "works in a Fiber with its small stack" do
    deep = "[" * 64 + "]" * 64
    too_deep = "[" * 100_000
    Fiber.new do
      id = submit(engine, { "a" => {} }, input_json: deep)
      expect(engine.get(id).input_json).to eq(deep)
      expect { submit(engine, { "a" => {} }, input_json: too_deep) }.to raise_error(Stepwell::Error)
      expect { engine.register_text(too_deep) }.to raise_error(Stepwell::Error)
    end.resume
  end
end
