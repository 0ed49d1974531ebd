# frozen_string_literal: true

module Stepwell
  class Graph
    # A step whose delay or loss hurts: score = share x (1 - slack / span) x (1 + dependents), where
    # share is duration / span and dependents counts the direct ones.
    Bottleneck = Struct.new(:node, :dependents, :duration, :slack, :share, :score)

    # An edge to remove: edge ([from, to]), reason (:every_cycle, :smallest, :two_way or :backward),
    # row (its place among the edges that were given).
    Cut = Struct.new(:edge, :reason, :row)

    # Nodes that all depend on each other: nodes, edge_count, cycle (one way around, each node
    # depending on the one before it), cuts ({Cut}s that leave no cycle), cut_least (no set of fewer
    # edges can do), shortest and smallest (whether that is proven of cycle and cuts).
    Knot = Struct.new(:nodes, :edge_count, :cycle, :cuts, :cut_least, :shortest, :smallest)

    # When a step runs in a schedule: node, worker (from 0), start, end.
    Slot = Struct.new(:node, :worker, :start, :end)

    # How long a run takes: duration; bound, which no run beats, the greatest of bound_span (the
    # critical path), bound_workers (work / workers) and bound_resource; work; resource (name of the
    # tightest one, or nil); workers (busy at once at most); used (share of their time, 0..1);
    # schedule ({Slot}s in the order of their starts).
    Makespan = Struct.new(:duration, :bound, :bound_span, :bound_workers, :bound_resource, :work,
                          :resource, :workers, :used, :schedule)

    # One edit between two graphs: kind (:node_added, :node_removed, :node_changed, :edge_added or
    # :edge_removed), node (nil for edges), edge (nil for nodes), fields (what differs).
    Change = Struct.new(:kind, :node, :edge, :fields)

    # The nodes that several nodes have in common, and of these the nearest ones.
    Common = Struct.new(:nodes, :nearest)

    # The answer to {Graph#analyze}, frozen. A part that was not asked for, or that a graph with a
    # cycle cannot have, raises {NotFoundError} when it is read. Times are in the unit of the question.
    class Analysis
      # @return [Graph]
      attr_reader :graph

      # @return [Hash{Object => Numeric}] the duration that each node was taken to have
      attr_reader :duration

      # @api private
      def initialize(graph, answer, scale, duration)
        @graph = graph
        @answer = answer.freeze
        @scale = scale
        @duration = duration.freeze
        freeze
      end

      # @return [Array<Symbol>] names of the parts that are there
      def parts = PARTS.select { |_, bit| @answer[:parts].anybits?(bit) }.keys

      # @return [Boolean]
      def acyclic? = @answer[:acyclic]

      # @return [Array] dependencies first; ties by priority, then by the order of the nodes
      def order = nodes(:order, :order)

      # @return [Hash{Object => Integer}] the longest distance of each node from a root
      def level = each(:level, :levels)

      # @return [Hash{Object => Integer}] the shortest distance of each node from a root
      def shortest = each(:shortest, :levels)

      # @return [Array<Array>] the nodes of each level
      def levels = grouped(:level, :levels, depth)

      # @return [Integer] how many levels there are
      def depth = get(:level_count, :levels)

      # @return [Integer] the number of the level with the most nodes
      def widest_level = get(:level_widest, :levels)

      # @return [Array] nodes without dependencies
      def roots = nodes(:roots, :ends)

      # @return [Array] nodes without dependents
      def leaves = nodes(:leaves, :ends)

      # @return [Array] nodes without either
      def orphans = nodes(:orphans, :ends)

      # @return [Array] nodes that none of the given roots leads to
      def unreachable = nodes(:unreachable, :ends)

      # @return [Array<Array>] the parts that no edge connects
      def components = grouped(:component, :components, get(:component_count, :components))

      # @return [Array<Knot>]
      def cycles = @graph.__send__(:knots, get(:cycles, :cycles))

      # @return [Array] the longest path by duration, which no run can beat
      def critical_path = nodes(:critical_path, :span)

      # @return [Numeric] the sum of all durations
      def work = time(get(:work_us, :span))

      # @return [Numeric] the sum of the durations along the critical path
      def span = time(get(:span_us, :span))

      # @return [Float] work / span: how many workers can be kept busy
      def parallelism = get(:parallelism, :span)

      # @return [Hash{Object => Numeric}] when each node begins at the earliest
      def earliest = times(:earliest_us)

      # @return [Hash{Object => Numeric}] when each node begins at the latest without delaying the end
      def latest = times(:latest_us)

      # @return [Hash{Object => Numeric}] latest - earliest
      def slack = times(:slack_us)

      # @return [Hash{Object => Numeric}] how much later each node may end without delaying a dependent
      def free_float = times(:float_us)

      # @return [Array<Bottleneck>] highest score first
      def bottlenecks
        get(:bottlenecks, :bottlenecks).map do |node, count, took, slack, share, score|
          Bottleneck.new(@graph.__send__(:label, node), count, time(took), time(slack), share, score).freeze
        end.freeze
      end

      # @return [Integer] the size of {#antichain}: the true width when {#width_exact?}, else the true
      #   one is at least that and at most {#width_most}
      def width = get(:width_least, :width)

      # @return [Integer]
      def width_most = get(:width_most, :width)

      # @return [Boolean]
      def width_exact? = get(:width_exact, :width) == 1

      # @return [Array] a largest set of nodes none of which depends on another
      def antichain = nodes(:antichain, :width)

      # @return [Array<Array(Object, Object)>] edges that follow from others
      def redundant = @graph.__send__(:pairs, get(:redundant, :redundant))

      # @return [Hash{Object => Array}] for every node all its dependents: who is blocked if it fails
      def impact = @graph.nodes.zip(@graph.reach(@graph.nodes)).to_h.freeze

      # @return [String]
      def inspect = "#<#{self.class} of #{@graph.inspect}: #{acyclic? ? parts.join(", ") : "it has a cycle"}>"

      private

      def get(field, part)
        @answer.fetch(field) do
          reason = acyclic? ? "it was not asked for" : "the graph has a cycle"
          raise NotFoundError, "the analysis has no part '#{part}': #{reason}"
        end
      end

      def nodes(field, part) = @graph.__send__(:labelled, get(field, part))

      def each(field, part) = @graph.nodes.zip(get(field, part)).to_h.freeze

      def time(value) = @scale == 1 ? value : value.fdiv(@scale)

      def times(field) = each(field, :time).transform_values { |value| time(value) }.freeze

      def grouped(field, part, count)
        groups = Array.new(count) { [] }
        @graph.nodes.zip(get(field, part)) { |node, group| groups[group] << node }
        groups.each(&:freeze).freeze
      end
    end
  end
end
