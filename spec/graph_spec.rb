# frozen_string_literal: true

require_relative "spec_helper"
require "tsort"

RSpec.describe Stepwell::Graph do
  def random_pairs(random, nodes, edges, cyclic: false)
    Array.new(edges) { [random.rand(nodes), random.rand(nodes)] }.reject { |a, b| a == b }
         .map { |pair| cyclic ? pair : pair.sort }.uniq.shuffle(random: random)
  end

  # All dependents of each node, by walking.
  def reached(nodes, pairs)
    ahead = pairs.group_by(&:first).transform_values { |edges| edges.map(&:last) }
    (0...nodes).map do |node|
      seen = Set.new
      stack = [*ahead[node]]
      while (other = stack.pop)
        stack.concat(ahead[other] || []) if seen.add?(other)
      end
      seen
    end
  end

  def in_order?(order, nodes, pairs)
    place = order.each_with_index.to_h
    order.sort == nodes.sort && pairs.all? { |a, b| place[a] < place[b] }
  end

  it "takes pairs, Hashes and packed Strings" do
    pairs = [[0, 1], [0, 2], [1, 3], [2, 3]]
    packed = pairs.transpose.map { |ends| ends.pack("l*") }
    [pairs, { 0 => [], 1 => [0], 2 => 0, 3 => [1, 2] }, packed].each do |form|
      graph = described_class.new(form)
      expect([graph.nodes, graph.edges.sort, graph.order]).to eq([[0, 1, 2, 3], pairs, [0, 1, 2, 3]])
    end
  end

  it "gives Strings, Symbols and sparse Integers back as they came" do
    strings = described_class.new({ "ship" => %w[charge pack], "charge" => ["validate"] })
    expect(strings.nodes).to eq(%w[ship charge pack validate])
    expect(strings.dependencies("ship")).to eq(%w[charge pack validate])
    symbols = described_class.new([%i[a b], %i[b c]], nodes: [:z])
    expect([symbols.order, symbols.impact(:a)]).to eq([%i[z a b c], %i[b c]])
    sparse = described_class.new([[30, -7], [5, 30]])
    expect([sparse.nodes, sparse.order]).to eq([[-7, 5, 30], [5, 30, -7]])
    expect(described_class.new([[1, 2]], nodes: 4).nodes).to eq([0, 1, 2, 3])
    expect(described_class.new([]).order).to eq([])
  end

  it "knows a name by its bytes, whatever object it is" do
    names = Array.new(1000) { |i| "name #{i} é" }
    pairs = Array.new(999) { |i| [names[i].dup, names[i + 1].dup] }
    graph = described_class.new(pairs, nodes: names)
    expect(graph.order).to eq(names)
    expect(graph.dependents("name 997 é")).to eq(names.last(2))
    mixed = described_class.new([["a", "b".encode("US-ASCII")], ["b".b, "c"], ["", "a\0"], ["a", "a\0"]])
    expect(mixed.nodes).to eq(["a", "b", "c", "", "a\0"])
    expect(mixed.nodes).to all(be_frozen)
    expect { described_class.new([["a", "\xC3\xA9".b]]) }.to raise_error(Stepwell::InvalidArgumentError)
  end

  it "tells names apart that other Strings than the keys mention, of any length" do
    names = Array.new(500) { |i| "é#{i}" * (1 + (i % 30)) }
    after = names.each_with_index.to_h { |name, i| [name, i.zero? ? [] : [names[i - 1], names[i / 2], "other #{i % 70}"].uniq] }
    expected = after.flat_map { |name, mentions| mentions.map { |mention| [mention, name] } }
    [after, after.transform_values { |list| list.map { |name| (+name).dup } }, expected].each do |form|
      expect(described_class.new(form).edges).to eq(expected)
    end
    expect(described_class.new(after).nodes).to eq((names + after.values.flatten).uniq)
    expect(described_class.new(after).nodes.first).to equal(after.keys.first) # shared, not copied
  end

  it "knows keys that are one name, in Hashes that compare by identity" do
    after = {}.compare_by_identity
    [["a", []], ["b", ["a"]], ["c", ["b"]]].each { |name, list| after[name.dup] = list }
    after["b".dup] = ["x"]
    expect(described_class.new(after).edges).to eq([%w[a b], %w[b c], %w[x b]])
  end

  it "keeps its names when the Strings change later" do
    names = ["short", "long #{"x" * 50}"].map(&:dup)
    graph = described_class.new([names])
    names.each { |name| name << "!" }
    expect(graph.nodes).to eq(["short", "long #{"x" * 50}"])
  end

  it "knows a Symbol by itself, not by its bytes" do
    made = Array.new(1000) { |i| "made at run time #{i}".to_sym }
    expect(described_class.new([:a, *made].each_cons(2).to_a).order).to eq([:a, *made])
    bytes = %w[UTF-8 ISO-8859-1].map { |encoding| (+"\xC3\xA9").force_encoding(encoding).to_sym }
    expect(described_class.new([bytes]).nodes).to eq(bytes)
  end

  it "finds names again when they were read under a Hash that compares objects" do
    after = {}.compare_by_identity
    after["b"] = ["a"]
    after["b".dup] = ["c"]
    expect(described_class.new(after).edges).to eq([%w[a b], %w[c b]])
  end

  it "orders more names than fit on the stack of Ruby" do
    names = Array.new(300_000) { |i| "n#{i}" }
    graph = described_class.new(names.each_cons(2).to_a)
    expect(graph.order).to eq(names)
    expect(graph.analyze(parts: %i[span time]).critical_path).to eq(names)
    expect(graph.edit.order).to eq(names)
  end

  it "agrees with TSort and with brute force on random graphs" do
    random = Random.new(7)
    40.times do
      nodes = random.rand(2..20)
      pairs = random_pairs(random, nodes, random.rand(0..40))
      took = Array.new(nodes) { random.rand(10) }
      graph = described_class.new(pairs, nodes: nodes)
      answer = graph.analyze(duration: took)
      before = pairs.group_by(&:last).transform_values { |edges| edges.map(&:first) }
      order = TSort.tsort(->(&b) { (0...nodes).each(&b) }, ->(n, &b) { (before[n] || []).each(&b) })
      start = {}
      order.each { |n| start[n] = (before[n] || []).map { |a| start[a] + took[a] }.max || 0 }
      expect(in_order?(graph.order, (0...nodes).to_a, pairs)).to be(true)
      expect(answer.earliest).to eq((0...nodes).to_h { |n| [n, start[n]] })
      expect(answer.span).to eq((0...nodes).map { |n| start[n] + took[n] }.max)
      expect(answer.critical_path.sum { |n| took[n] }).to eq(answer.span)
      ahead = reached(nodes, pairs)
      expect(answer.impact.values.map(&:to_set)).to eq(ahead)
      expect(answer.redundant.sort).to eq(pairs.select { |a, b| ahead[a].any? { |c| ahead[c].include?(b) } }.sort)
      expect(answer.antichain.permutation(2).none? { |a, b| ahead[a].include?(b) }).to be(true)
    end
  end

  it "names cycles and the edges that break them" do
    random = Random.new(3)
    30.times do
      pairs = random_pairs(random, 8, 14, cyclic: true)
      graph = described_class.new(pairs.map { |a, b| ["n#{a}", "n#{b}"] })
      ahead = reached(8, pairs)
      knots = graph.cycles
      expect(knots.flat_map(&:nodes).to_set).to eq((0...8).select { |n| ahead[n].include?(n) }.to_set { |n| "n#{n}" })
      cuts = knots.flat_map { |knot| knot.cuts.map(&:edge) }
      expect(described_class.new(graph.edges - cuts).cycles).to eq([])
      next if knots.empty?

      expect { graph.order }.to raise_error(Stepwell::DefinitionError) { |error|
        expect(error.cycle).to eq(knots.first.cycle)
        expect(error.message).to start_with("the graph has a cycle: n")
      }
      %i[reduce redundant makespan edit].each { |name| expect { graph.public_send(name) }.to raise_error(Stepwell::DefinitionError, /-> n/) }
      expect { graph.analyze.levels }.to raise_error(Stepwell::NotFoundError, /the graph has a cycle/)
    end
  end

  it "analyzes by name, in the unit of the question" do
    graph = described_class.new({ b: [:a], c: %i[b a], d: [] }, nodes: %i[a b c d])
    answer = graph.analyze(duration: { a: 1.5, b: 2, c: 0.25 }, roots: [:a])
    expect(answer.levels).to eq([%i[a d], [:b], [:c]])
    expect([answer.depth, answer.width, answer.width_exact?, answer.span, answer.work]).to eq([3, 2, true, 3.75, 4.75])
    expect([answer.orphans, answer.unreachable, answer.leaves, answer.roots]).to eq([[:d], [:d], %i[c d], %i[a d]])
    expect([answer.slack[:d], answer.free_float[:d], answer.latest[:d]]).to eq([2.75] * 3)
    expect(answer.bottlenecks.first.node).to eq(:a)
    expect(answer.components).to eq([%i[a b c], [:d]])
    expect(answer.redundant).to eq([%i[a c]])
    expect(answer.duration).to eq(a: 1.5, b: 2, c: 0.25, d: 1)
    expect(graph.reduce.edges).to contain_exactly(%i[a b], %i[b c])
    expect(graph.analyze(parts: [:levels]).parts).to eq([:levels])
    expect(graph.order(priority: { d: 5 }).first).to eq(:d)
    expect(graph.common(%i[b c]).nearest).to eq([:a])
    expect([answer, answer.levels, answer.slack, answer.bottlenecks.first, answer.critical_path]).to all(be_frozen)
  end

  it "schedules with workers and resources" do
    graph = described_class.new([], nodes: %i[a b c d])
    took = { a: 2, b: 2, c: 2, d: 2 }
    two = graph.makespan(workers: 2, duration: took)
    expect([two.duration, two.bound, two.used, two.schedule.map(&:start)]).to eq([4, 4, 1.0, [0, 0, 2, 2]])
    tight = graph.makespan(duration: took, resources: { memory: [3, { a: 2, b: 2, c: 1 }] })
    expect([tight.duration, tight.resource]).to eq([4, :memory])
    expect { graph.makespan(resources: { memory: [1, { a: 2 }] }) }.to raise_error(Stepwell::InvalidArgumentError)
  end

  it "compares graphs" do
    changes = described_class.new([%w[a b]]).diff(described_class.new([%w[b a], %w[b c]]))
    expect(changes.map { |change| [change.kind, change.node || change.edge] }).to eq(
      [[:node_added, "c"], [:edge_removed, %w[a b]], [:edge_added, %w[b a]], [:edge_added, %w[b c]]]
    )
    expect(described_class.new([[0, 1]]).diff(described_class.new([[0, 1], [1, 9]])).first.node).to eq(9)
    expect { described_class.new([[0, 1]]).diff(described_class.new([%w[a b]])) }.to raise_error(TypeError, /Integer and of String/)
    one, two = [1, 2].map { |ms| described_class.of(definition({ "a" => { "timeout_ms" => ms } })) }
    expect(one.diff(two).map(&:to_a)).to eq([[:node_changed, "a", nil, [:timeout]]])
    three = described_class.of(definition({ "a" => { "timeout_ms" => 1, "heartbeat_ms" => 1 } }))
    expect(one.diff(three).map(&:to_a)).to eq([[:node_changed, "a", nil, [:timeout]]])
  end

  it "keeps an order while it is edited, and refuses cycles" do
    edit = described_class.new([%w[a b], %w[b c]]).edit
    edit.insert([%w[c d]], nodes: ["z"])
    expect(edit.order).to eq(%w[a b c z d])
    expect { edit.insert([%w[d e], %w[e a]]) }.to raise_error(Stepwell::DefinitionError) { |error|
      expect([error.message, error.row]).to eq(["edge 1 closes a cycle: a -> b -> c -> d -> e -> a", 1])
      expect(error.cycle).to eq(%w[a b c d e])
    }
    expect(edit.finish.edges).to eq([%w[a b], %w[b c], %w[c d]])
    expect { edit.insert([%w[a b]]) }.to raise_error(Stepwell::InvalidArgumentError, /there already/)
    expect { edit.insert([[1, 2]]) }.to raise_error(TypeError)
    ints = described_class.new([[0, 1]]).edit.insert([[1, 3], [3, 2]])
    expect(ints.finish.order).to eq([0, 1, 3, 2])
    expect { ints.insert([[1, 9]]) }.to raise_error(Stepwell::InvalidArgumentError, /without a gap/)
  end

  it "refuses what is no edge, with its row" do
    bad = {
      [["a", "a"]] => [Stepwell::InvalidArgumentError, 0], [%w[a b], %w[a b]] => [Stepwell::InvalidArgumentError, 1],
      [["a", 1]] => [TypeError], [["a"]] => [TypeError], [[1.5, 2]] => [TypeError], [[nil, 1]] => [TypeError],
      ["ab"] => [TypeError], "ab" => [TypeError], 5 => [TypeError], nil => [TypeError], { "a" => 1.5 } => [TypeError],
      { "a" => ["a"] } => [Stepwell::InvalidArgumentError, 0], %w[abcd ab] => [Stepwell::InvalidArgumentError],
      ["abcd", "abcdabcd"] => [Stepwell::InvalidArgumentError],
      [[[0].pack("l"), [-1].pack("l")]] => [Stepwell::InvalidArgumentError], # names, and no UTF-8
      [[0].pack("l"), [-1].pack("l")] => [Stepwell::InvalidArgumentError, 0], [[2**70, 1]] => [RangeError],
      [["\xff", "a"]] => [Stepwell::InvalidArgumentError, 0]
    }
    bad.each do |edges, (kind, row)|
      expect { described_class.new(edges) }.to raise_error(kind) { |error| expect(error.row).to eq(row) if row }
    end
    expect { described_class.new([%w[a b], %w[a b]]) }.to raise_error(/edge 1 from "a" to "b" is given twice/)
    expect(described_class.new([%w[a b], %w[a b]], repeats: true).edge_count).to eq(1)
    expect { described_class.new([], nodes: %w[a a]) }.to raise_error(Stepwell::InvalidArgumentError)
    expect { described_class.new([[0, 5]], nodes: 3) }.to raise_error(Stepwell::InvalidArgumentError)
    expect { described_class.allocate.order }.to raise_error(Stepwell::Error)
  end

  it "tells of the first row that is wrong, however many there are" do
    good = Array.new(200) { |i| ["n#{i}", "n#{i + 1}"] }
    broken = "\xff"
    { [broken, "a"] => 150, ["a", "é".encode("UTF-16LE")] => 3, ["a", "é".b] => 64 }.each do |pair, row|
      edges = good.first(row) + [pair] + good.drop(row) + [["no pair"]]
      expect { described_class.new(edges) }
        .to raise_error(Stepwell::InvalidArgumentError, /a node is/) { |error| expect(error.row).to eq(row) }
    end
    expect { described_class.new(good + [["a", 1], ["no pair"]]) }.to raise_error(TypeError, /row 200: a node/)
    expect { described_class.new({ "a" => [1], "b" => 1.5 }) }.to raise_error(TypeError, /\Aa node/)
    expect { described_class.new([], nodes: good.map(&:first) + ["n7"]) }
      .to raise_error(Stepwell::InvalidArgumentError, /node 200 of nodes/) { |error| expect(error.row).to eq(200) }
  end

  it "refuses durations that are none" do
    graph = described_class.new([%w[a b]])
    [-1, -0.5, Float::NAN, Float::INFINITY].each do |value|
      expect { graph.analyze(duration: { "b" => value }) }.to raise_error(Stepwell::InvalidArgumentError) { |error|
        expect(error.row).to eq(1)
      }
    end
    expect { graph.analyze(duration: [1]) }.to raise_error(Stepwell::InvalidArgumentError)
    expect { graph.analyze(duration: { "a" => "1" }) }.to raise_error(TypeError)
    expect { graph.analyze(duration: [2**63, 1]) }.to raise_error(Stepwell::InvalidArgumentError)
    expect { graph.analyze(duration: [2**62, 2**62]) }.to raise_error(Stepwell::LimitError)
    expect { graph.analyze(duration: { "x" => 1 }) }.to raise_error(Stepwell::NotFoundError)
    expect { graph.analyze(parts: [:depth]) }.to raise_error(Stepwell::InvalidArgumentError, /there are order/)
    expect { graph.dependents("x") }.to raise_error(Stepwell::NotFoundError)
  end

  it "refuses what no 64 bits can hold, with its row" do
    graph = described_class.new([%w[a b]])
    [
      -> { graph.to_svg(duration: { "b" => 2**62 }) }, -> { graph.makespan(duration: { "b" => 2**63 }) },
      -> { graph.makespan(resources: { memory: [1, { "b" => 2**63 }] }) }, -> { graph.makespan(duration: { "b" => -1 }) },
      -> { graph.makespan(duration: { "b" => Float::NAN }) }, -> { graph.makespan(resources: { memory: [1, { "b" => -1 }] }) }
    ].each do |call|
      expect(&call).to raise_error(Stepwell::InvalidArgumentError) { |error| expect(error.row).to eq(1) }
    end
    expect { graph.makespan(duration: [2**62, 2**62]) }.to raise_error(Stepwell::LimitError) { |e| expect(e.row).to eq(1) }
    expect { described_class.new([], nodes: (2**31) - 1) }.to raise_error(Stepwell::LimitError)
    expect { described_class.new([[0, 1], [0, 5]], nodes: 3) }
      .to raise_error(Stepwell::InvalidArgumentError) { |error| expect(error.row).to eq(1) }
    expect { graph.analyze(roots: ["x"]) }.to raise_error(Stepwell::NotFoundError, /"x"/)
  end

  it "answers for a graph of nothing" do
    empty = described_class.new([])
    answer = empty.analyze
    expect([empty.nodes, empty.edges, empty.order, empty.cycles, empty.reduce.edges, empty.diff(empty)]).to all(eq([]))
    expect([answer.critical_path, answer.bottlenecks, answer.components]).to all(eq([]))
    expect(empty.makespan.duration).to eq(0)
    added = empty.diff(described_class.new([%i[a b]]))
    expect(added.map { |change| [change.kind, change.node || change.edge] })
      .to eq([%i[node_added a], %i[node_added b], [:edge_added, %i[a b]]])
    expect([empty.to_text, empty.to_svg[0, 4], empty.layout.places, empty.edit.finish.nodes]).to eq(["", "<svg", {}, []])
  end

  it "finds a circle of a million nodes" do
    count = 1_000_000
    ring = described_class.new([(0...count).to_a.pack("l*"), (1..count).map { |i| i % count }.pack("l*")])
    knot = ring.cycles.first
    expect([knot.cycle.size, knot.cuts.map(&:edge)]).to eq([count, [[count - 1, 0]]])
    expect { ring.order }.to raise_error(Stepwell::DefinitionError, /0 -> 1 -> 2 .*\(999988 more\) -> 0/)
    expect { ring.to_svg }.to raise_error(Stepwell::LimitError, /100000/)
  end

  it "is made of definitions, and of what an engine has stored" do
    workflow = Class.new(Stepwell::Workflow) do
      workflow_name "order"
      step :validate, timeout: 2, handler: "x.v"
      step :pack, after: :validate, handler: "x.p"
      step :charge, after: :validate, timeout: 20, handler: "x.c"
      step :ship, after: %i[pack charge validate], handler: "x.s"
    end
    engine = open_engine
    task = workflow.start(engine: engine)
    expect(described_class.of(workflow).edges.size).to eq(5)
    ["order", workflow, task.id].each do |subject|
      answer = engine.analyze_dependencies(subject)
      expect([answer.critical_path, answer.span]).to eq([%w[validate charge ship], 23.0])
      expect([answer.cycles, answer.redundant, answer.slack["pack"]]).to eq([[], [%w[validate ship]], 19.0])
    end
    expect(engine.analyze("order", duration: { pack: 60 }).span).to eq(63.0)
    expect { engine.analyze("nothing") }.to raise_error(Stepwell::NotFoundError)
    expect { described_class.of("{}") }.to raise_error(Stepwell::DefinitionError) { |e| expect(e.findings).not_to be_empty }
    expect { described_class.of(5) }.to raise_error(TypeError)
  end

  describe "pictures" do
    let(:graph) { described_class.new({ left: [:top], right: [:top], bottom: %i[left right top] }, nodes: [:top]) }

    it "come in every format" do
      expect(graph.to_svg(title: "<t>")).to start_with("<svg").and include("&lt;t&gt;")
      expect(graph.to_mermaid(direction: :right)).to start_with("flowchart LR")
      expect(graph.to_dot).to start_with("digraph")
      expect(graph.to_text).to include("│ top │")
      expect(graph.to_text(ascii: true)).to include("| top |")
      expect(JSON.parse(JSON.generate([graph])).first["nodes"].size).to eq(4)
    end

    it "mark what is asked for" do
      found = JSON.parse(graph.to_json(critical: true, slack: true, redundant: true, duration: { left: 2.5, right: 9 }))
      nodes = found["nodes"].to_h { |node| [node["name"], node] }
      expect(nodes.select { |_, node| node["critical"] }.keys).to eq(%w[top right bottom])
      expect(nodes["left"].values_at("slack_us", "duration_us")).to eq([6_500_000, 2_500_000])
      redundant = found["edges"].select { |edge| edge["redundant"] }.map { |edge| edge.values_at("from", "to").map { |i| nodes.keys[i] } }
      expect(redundant).to eq([%w[top bottom]])
    end

    it "lie as the layout says" do
      layout = graph.layout
      expect([layout.places.keys, layout.lines.keys.sort]).to eq([graph.nodes, graph.edges.sort])
      expect(layout.places.values_at(:top, :left, :bottom).map(&:level)).to eq([0, 1, 2])
      expect(described_class.new([[7, 5]]).layout(direction: :right)).to have_attributes(direction: :right, lines: { [7, 5] => anything })
    end

    it "refuse what they cannot show" do
      expect { described_class.new([%i[a b], %i[b a]]).to_text }
        .to raise_error(Stepwell::DefinitionError) { |error| expect(error.cycle).to eq(%i[a b]) }
      expect { graph.draw(:gif) }.to raise_error(Stepwell::InvalidArgumentError, /gif/)
      expect { graph.to_svg(direction: :up) }.to raise_error(Stepwell::InvalidArgumentError, /:up/)
      expect { graph.to_svg(critical: 1) }.to raise_error(TypeError)
      expect { graph.to_svg(colour: true) }.to raise_error(ArgumentError)
      expect { graph.to_svg(duration: [1]) }.to raise_error(Stepwell::InvalidArgumentError, /1 items for 4 nodes/)
      expect { graph.to_text(columns: 10) }.to raise_error(Stepwell::LimitError)
    end

    it "show a task as it stands" do
      Stepwell::Engine.open("memory:") do |engine|
        engine.register({ "stepwell" => 1, "name" => "order", "steps" => [
                          { "name" => "validate", "timeout_ms" => 2000 }, { "name" => "charge", "after" => ["validate"], "timeout_ms" => 20_000 }
                        ] })
        task = engine.start("order")
        nodes = JSON.parse(task.picture(format: :json, critical: true, durations: true))["nodes"]
        expect(nodes.map { |node| node.values_at("state", "duration_us", "critical") })
          .to eq([["ready", 2_000_000, true], ["pending", 20_000_000, true]])
        expect(task.gantt(format: :text, columns: 60)).to include("validate")
        expect { engine.gantt(task.id, format: :dot) }.to raise_error(Stepwell::InvalidArgumentError)
        expect { engine.picture("01932f00-0000-7000-8000-000000000000") }.to raise_error(Stepwell::NotFoundError)
        expect(engine.durations("order")["charge"]).to have_attributes(source: :timeout, sample_count: 0, p95_us: 20_000_000)
        expect(engine.analyze("order", durations: :p95).span).to eq(22)
        expect { engine.analyze("order", durations: :p96) }.to raise_error(Stepwell::InvalidArgumentError)
      end
    end
  end
end
