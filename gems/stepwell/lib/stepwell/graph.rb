# frozen_string_literal: true

require "stepwell/graph/analysis"

module Stepwell
  # Everything one can ask of dependencies, without an engine. The work is done in C, in linear time
  # where theory allows. A graph never changes, and its answers are frozen.
  #
  # Nodes are Strings, Symbols or Integers, all of one kind; answers give them back as they came.
  #
  # @example
  #   graph = Stepwell::Graph.new({ charge: [:validate], ship: [:charge, :pack] })
  #   graph.order                                      # => [:validate, :pack, :charge, :ship]
  #   graph.analyze(duration: { charge: 2.5 }).critical_path
  #
  # @!method node_count
  #   @return [Integer]
  # @!method edge_count
  #   @return [Integer]
  class Graph
    # The parts of an analysis with the bits that the core knows them by.
    PARTS = %i[order levels ends components cycles span time bottlenecks width redundant]
            .each_with_index.to_h { |name, bit| [name, 1 << bit] }.freeze

    SCALE = 1_000_000 # Floats are counted in millionths, so that seconds become microseconds
    INT64_MAX = (2**63) - 1
    CYCLE_SHOWN = 12
    private_constant :SCALE, :INT64_MAX, :CYCLE_SHOWN

    # The graph of a workflow.
    #
    # @param definition [Class, Hash, String, Definition] a {Workflow} class, a definition as Hash, as
    #   JSON or YAML text, or as an engine gives it
    # @return [Graph] with the names of the steps as nodes
    # @raise [DefinitionError] with all findings
    def self.of(definition)
      case definition
      when String then native_load(definition)
      when Definition then native_load(definition.json)
      when Hash then native_load(Payload.dump(definition))
      when Class
        raise TypeError, "#{definition} is not a workflow class" unless definition <= Workflow

        native_load(definition.definition_json)
      else raise TypeError, "definition must be a workflow class, a Hash or a String, not #{definition.class}"
      end
    end

    # @param edges [Array<Array(Object, Object)>, Hash{Object => Array}, Array(String, String)] pairs
    #   [from, to], of which to depends on from; each node with its dependencies, as TSort has them;
    #   or starts and ends as Strings of packed 32-bit integers (pack("l*"))
    # @param nodes [Array, Integer, nil] nodes that have no edge, in their order; beside Integers their
    #   number
    # @param repeats [Boolean] whether an edge may be given twice
    # @raise [InvalidArgumentError] an edge from a node to itself, given twice or out of range, or a
    #   name that is no UTF-8; #row says which, except for names in a Hash
    # @raise [TypeError] a node that is none, or of another kind than the first
    def initialize(edges, nodes: nil, repeats: false)
      native_initialize(edges, nodes, repeats)
    end

    # @return [Array] all nodes; Integers ascend
    def nodes = (labels || Array.new(node_count) { |node| node }).dup.freeze

    # @return [Array<Array(Object, Object)>] in the order in which they were given
    def edges = pairs(native_edges)

    # @param node [Object]
    # @return [Boolean]
    def include?(node)
      index ? index.key?(node) : node.is_a?(Integer) && node >= 0 && node < node_count
    end

    # A topological order: dependencies first. Without priorities it is the same every time, and is
    # found faster.
    #
    # @param priority [Hash{Object => Integer}, Array<Integer>, nil] of each node, higher first, where
    #   the order is open; 0 where a Hash is silent
    # @return [Array]
    # @raise [DefinitionError] a cycle; #cycle is one way around
    def order(priority: nil)
      labelled(native_order(priorities(priority)))
    rescue DefinitionError
      refuse_cycle
    end

    # All answers at once, or those that parts names. A cycle is no error: the analysis then has
    # cycles, components and ends.
    #
    # @param duration [Hash{Object => Numeric}, Array<Numeric>, nil] of each node, 0 or more, in any
    #   unit; 1 each without it and where a Hash is silent. Answers are in the same unit, exact for
    #   Integers, to a millionth with Floats.
    # @param priority [Hash, Array, nil] as for {#order}
    # @param parts [Array<Symbol>, nil] keys of {PARTS}
    # @param roots [Array, nil] where work may begin, for {Analysis#unreachable}
    # @param bottlenecks [Integer] at most so many
    # @param width_effort [Integer] edges that the search for the exact width may look at; 0 means 100
    #   million, -1 all
    # @return [Analysis]
    # @raise [InvalidArgumentError] #row is the node of a negative or NaN duration
    # @raise [LimitError] the sum of the durations is too long
    def analyze(duration: nil, priority: nil, parts: nil, roots: nil, bottlenecks: 10, width_effort: 0)
      values, scale = durations(duration)
      answer = native_analyze(bits(parts), values, priorities(priority), roots && numbers(roots), bottlenecks,
                              width_effort)
      used = values ? values.map { |value| scale == 1 ? value : value.fdiv(scale) } : [1] * node_count
      Analysis.new(self, answer, scale, nodes.zip(used).to_h)
    end

    # @return [Array<Knot>] nodes that all depend on each other, with the edges that break them
    def cycles = knots(native_cycles)

    # @param of [Array] nodes
    # @param dependencies [Boolean] instead of dependents
    # @return [Array<Array>] for each of them all its dependents
    # @raise [NotFoundError] a node that is not there
    def reach(of, dependencies: false)
      native_reach(dependencies ? 1 : 0, numbers(of)).map { |found| labelled(found) }.freeze
    end

    # @return [Array] all nodes that depend on a node: who is blocked if it fails
    def dependents(node) = reach([node]).first

    # @return [Array] all nodes that a node depends on: who must finish before it
    def dependencies(node) = reach([node], dependencies: true).first

    alias impact dependents

    # @return [Common] the dependencies that all of some nodes have in common, or the dependents
    def common(of, dependents: false)
      Common.new(*native_common(dependents ? 0 : 1, numbers(of)).map { |found| labelled(found) }).freeze
    end

    # @return [Array<Array(Object, Object)>] the edges that follow from others
    # @raise [DefinitionError] a cycle
    def redundant
      pairs(native_reduce)
    rescue DefinitionError
      refuse_cycle
    end

    # @return [Graph] the transitive reduction: the graph without the redundant edges
    # @raise [DefinitionError] a cycle
    def reduce = Graph.new(edges - redundant, nodes: nodes)

    # How long a run takes by list scheduling, the ready step with the longest way to the end first.
    #
    # @param workers [Integer] steps that may run at once; 0: any number
    # @param duration [Hash, Array, nil] as for {#analyze}
    # @param resources [Hash{Symbol, String => Array(Integer, Hash)}] name => [capacity, demand of each
    #   node]
    # @return [Makespan]
    # @raise [DefinitionError] a cycle
    # @raise [InvalidArgumentError] a demand above the capacity
    def makespan(workers: 0, duration: nil, resources: {})
      values, scale = durations(duration)
      rows = resources.map { |name, (capacity, demand)| [name.to_s, capacity, demands(name, demand)] }
      makespan_of(native_makespan(values, workers, rows), scale, resources.keys)
    rescue DefinitionError
      refuse_cycle
    end

    # The edits that turn this graph into the other, by the names of the nodes. Graphs of definitions
    # are compared step by step, too.
    #
    # @param other [Graph]
    # @return [Array<Change>]
    def diff(other)
      raise TypeError, "other must be a Graph, not #{other.class}" unless other.is_a?(Graph)
      kinds = [self, other].reject { |graph| graph.nodes.empty? }.map { |graph| graph.nodes.first.class }
      if kinds.uniq.size > 1 && kinds.include?(Integer)
        raise TypeError, "graphs with nodes of #{kinds.join(" and of ")} cannot be compared"
      end

      convert = { Integer => :to_i, Symbol => :to_sym }.fetch(kinds.first, :itself).to_proc
      return named.diff_as(other.named, &convert) if labels.nil? || other.labels.nil?

      diff_as(other, &convert)
    end

    # The graph as a picture.
    #
    # @param format [Symbol] :svg, :mermaid, :dot, :json or :text; {#to_svg} and so on name one
    # @param duration [Hash, Array, nil] seconds that each node takes, for critical and slack; 1 each
    #   without it and where a Hash is silent
    # @param options [Hash] critical: mark the path that takes longest; slack: show how much later
    #   nodes may end; redundant: mark edges that follow from others; durations: show them (true, when
    #   duration is given); direction: :down or :right; title; and for :text columns (80), ascii, color
    # @return [String]
    # @raise [DefinitionError] a cycle
    # @raise [LimitError] it is too large, or too wide for the columns
    def draw(format, duration: nil, **options)
      options = { durations: true }.merge(options) if duration
      given = Pictures.arguments(**options)
      duration ||= {} if options[:slack]
      seconds, scale = durations(duration)
      seconds = fit(seconds.map { |value| value * SCALE }) { "duration of node %s is too long" } if seconds && scale == 1
      native_picture(format, given[:marks], seconds, *given[:rest])
    rescue DefinitionError
      refuse_cycle
    end

    # @!method to_svg(**options)
    # @!method to_mermaid(**options)
    # @!method to_dot(**options)
    # @!method to_json(**options)
    # @!method to_text(**options)
    #   The graph in one of the formats of {#draw}.
    #   @return [String]
    %i[svg mermaid dot text].each do |format|
      define_method(:"to_#{format}") { |**options| draw(format, **options) }
    end

    # The graph as JSON with coordinates. What JSON.generate hands over is not looked at.
    #
    # @return [String]
    def to_json(_state = nil, **options) = draw(:json, **options)

    # Where nodes and lines lie, for programs that draw themselves.
    #
    # @param direction [Symbol, nil] :down or :right; nil: as fits a screen
    # @param compact [Boolean] start nodes as late as their dependents allow, for shorter lines
    # @return [Pictures::Layout]
    # @raise [DefinitionError] a cycle
    def layout(direction: nil, compact: false)
      found = JSON.parse(draw(:json, direction: direction, compact: compact))
      places = nodes.zip(found["nodes"]).to_h do |node, row|
        [node, Pictures::Place.new(*row.values_at("x", "y", "width", "height", "level")).freeze]
      end
      lines = found["edges"].to_h { |row| [pairs([row.values_at("from", "to")]).first, row["points"].each(&:freeze).freeze] }
      Pictures::Layout.new(*found.values_at("width", "height"), found["direction"].to_sym, found["crossings"],
                           places.freeze, lines.freeze).freeze
    end

    # Begin to add nodes and edges.
    #
    # @return [Edit]
    # @raise [DefinitionError] a cycle
    def edit
      Edit.new(self)
    rescue DefinitionError
      refuse_cycle
    end

    # @return [String]
    def inspect = "#<#{self.class} of #{node_count} nodes and #{edge_count} edges>"

    protected :labels, :index

    protected

    # The same graph with its nodes as Strings.
    def named = Graph.new(edges.map { |pair| pair.map(&:to_s) }, nodes: nodes.map(&:to_s))

    def diff_as(other)
      native_diff(other).map do |kind, fields, name, start|
        edge = start && [yield(start), yield(name)].freeze
        Change.new(kind, edge ? nil : yield(name), edge, fields).freeze
      end.freeze
    end

    def refuse_cycle(row = nil)
      cycle = cycles.first.cycle
      names = cycle.first(CYCLE_SHOWN).map(&:to_s)
      names << "(#{cycle.size - CYCLE_SHOWN} more)" if cycle.size > CYCLE_SHOWN
      begins = row ? "edge #{row} closes" : "the graph has"
      error = DefinitionError.new("#{begins} a cycle: #{[*names, names.first].join(" -> ")}")
      error.instance_variable_set(:@row, row)
      error.instance_variable_set(:@cycle, cycle)
      raise error, cause: nil
    end

    private

    def label(number) = labels ? labels[number] : number

    def pairs(rows) = rows.map { |start, stop| [label(start), label(stop)].freeze }.freeze

    def knots(rows)
      rows.map do |nodes, edge_count, cycle, cuts, *rest|
        cuts = cuts.map { |start, stop, row, reason| Cut.new([label(start), label(stop)].freeze, reason, row).freeze }
        Knot.new(labelled(nodes), edge_count, labelled(cycle), cuts.freeze, *rest).freeze
      end.freeze
    end

    def makespan_of(row, scale, names)
      times = row.first(6).map { |value| scale == 1 ? value : value.fdiv(scale) }
      resource, workers, used, slots = row.drop(6)
      schedule = slots.map do |node, worker, *span|
        Slot.new(label(node), worker, *span.map { |value| scale == 1 ? value : value.fdiv(scale) }).freeze
      end
      Makespan.new(*times, resource.negative? ? nil : names[resource], workers, used, schedule.freeze).freeze
    end

    def number(node)
      return index.fetch(node) { raise NotFoundError, "there is no node #{node.inspect}" } if index
      raise TypeError, "a node must be an Integer, not #{node.class}" unless node.is_a?(Integer)
      raise NotFoundError, "there is no node #{node}" unless include?(node)

      node
    end

    def numbers(of)
      raise TypeError, "nodes must be an Array, not #{of.class}" unless of.is_a?(Array)

      of.map { |node| number(node) }
    end

    # One value per node, from an Array or from a Hash.
    def values_of(given, what, otherwise)
      if given.is_a?(Hash)
        values = Array.new(node_count, otherwise)
        given.each { |node, value| values[number(node)] = value }
      elsif given.is_a?(Array)
        values = given
      else
        raise TypeError, "#{what} must be a Hash or an Array, not #{given.class}"
      end
      raise InvalidArgumentError, "#{what} has #{values.size} items for #{node_count} nodes" if values.size != node_count

      values
    end

    def durations(given)
      return [nil, 1] if given.nil?

      values = values_of(given, "duration", 1)
      values.each_with_index { |value, row| duration_check(value, row) }
      scale = values.all?(Integer) ? 1 : SCALE
      values = values.map { |value| (value * scale).round } unless scale == 1
      [fit(values) { "duration of node %s is too long" }, scale]
    end

    def demands(name, given)
      fit(values_of(given, "demand", 0)) { "resource #{name} of node %s does not fit into 64 bits" }
    end

    # The values of the nodes, none of them too large for the core.
    def fit(values)
      row = values.index { |value| value.is_a?(Integer) && value > INT64_MAX }
      refuse(row, format(yield, label(row).inspect)) if row
      values
    end

    def duration_check(value, row)
      unless value.is_a?(Integer) || value.is_a?(Float) || value.is_a?(Rational)
        raise TypeError, "duration must hold numbers, not #{value.class}"
      end
      return if value.finite? && !value.negative?

      refuse(row, "duration of node #{label(row).inspect} is #{value}")
    end

    def refuse(row, message)
      error = InvalidArgumentError.new(message)
      error.instance_variable_set(:@row, row)
      raise error
    end

    def priorities(given) = given && values_of(given, "priority", 0)

    def bits(parts)
      return 0 if parts.nil?
      raise TypeError, "parts must be an Array of Symbols, not #{parts.class}" unless parts.is_a?(Array)
      raise InvalidArgumentError, "parts names nothing" if parts.empty?

      parts.sum do |part|
        PARTS.fetch(part) { raise InvalidArgumentError, "there is no part #{part.inspect}; there are #{PARTS.keys.join(", ")}" }
      end
    end

    # Nodes and edges added to a graph, which itself does not change. The order is kept up to date: a
    # new edge costs time in the nodes between its ends, not in all.
    class Edit
      # @param graph [Graph]
      # @api private
      def initialize(graph)
        native_begin(graph)
        @labels = graph.__send__(:labels)&.dup
        @index = graph.__send__(:index)&.dup
        @count = graph.node_count
      end

      # Add nodes, and edges between old and new ones; all or none. Nodes that the edges name are
      # added without being listed.
      #
      # @param edges [Array<Array(Object, Object)>]
      # @param nodes [Array]
      # @return [self]
      # @raise [DefinitionError] an edge closes a cycle; #row says which, #cycle is the way around
      # @raise [InvalidArgumentError] an edge that is there already, or leads from a node to itself
      def insert(edges = [], nodes: [])
        edges.each { |edge| raise TypeError, "an edge must be a pair [from, to]" unless edge.is_a?(Array) && edge.size == 2 }
        fresh = fresh_nodes(nodes + edges.flatten(1))
        ends = edges.flatten(1).map { |node| fresh[node] || (@index ? @index[node] : node) }
        begin
          native_insert(fresh.size, @labels && fresh.keys.map(&:to_s), ends)
        rescue DefinitionError => error
          refuse(edges, error.row)
        end
        @count += fresh.size
        @labels&.concat(fresh.keys)
        @index&.update(fresh)
        self
      end

      # @return [Array] the order that is kept; nodes that no new edge touches stay where they were
      def order = @labels ? native_order.map { |number| @labels[number] } : native_order

      # @return [Graph] the graph as it is by now; the edit goes on
      def finish = native_finish(@labels&.dup, @index&.dup)

      private

      def fresh_nodes(mentioned)
        fresh = {}
        mentioned.each do |node|
          check_kind(node)
          fresh[node] ||= @count + fresh.size unless @index ? @index.key?(node) : (0...@count).cover?(node)
        end
        return fresh if @labels || fresh.empty?

        wanted = (@count...(@count + fresh.size)).to_a
        raise InvalidArgumentError, "new nodes must go on from #{@count} without a gap" if fresh.keys.sort != wanted

        wanted.to_h { |number| [number, number] }
      end

      def check_kind(node)
        kinds = [String, Symbol, Integer]
        expected = @labels && !@labels.empty? ? kinds.find { |kind| @labels.first.is_a?(kind) } : @labels ? String : Integer
        raise TypeError, "a node must be a #{expected}, not #{node.class}" unless node.is_a?(expected)
      end

      def refuse(edges, row)
        Graph.new(finish.edges + edges.first(row ? row + 1 : edges.size)).__send__(:refuse_cycle, row)
      end
    end
  end
end
