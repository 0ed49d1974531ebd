# frozen_string_literal: true

# From a Hash of dependencies to a topological order, on 100,000 nodes of average degree 4, beside
# TSort. Prints the rows of script/bench; a ratio below 1 is faster than TSort.
#
#   graph_order.rb [--quick] [--json]

require "json"
require "stepwell"
require "tsort"

DEGREE = 4

def took
  started = Process.clock_gettime(Process::CLOCK_MONOTONIC)
  yield
  (Process.clock_gettime(Process::CLOCK_MONOTONIC) - started) * 1e6
end

def median(values)
  values.sort[values.size / 2]
end

def show(row)
  return puts(JSON.generate(row)) if ARGV.include?("--json")

  puts format("%-28<name>s %9.1<median>f %9.1<min>f %9.1<max>f %8<none>s %9.1<floor>f %6.2<ratio>f  us; floor is TSort",
              none: "", **row)
end

# Both in turn, because the machine changes.
def compare(name, after, rounds)
  pairs = Array.new(rounds) do
    [took { Stepwell::Graph.new(after).order },
     took { TSort.tsort(->(&block) { after.each_key(&block) }, ->(node, &block) { after[node].each(&block) }) }]
  end
  ours = pairs.map(&:first)
  show(name: "graph_order/#{name}", unit: "us", median: median(ours).round(1), min: ours.min.round(1),
       max: ours.max.round(1), floor: median(pairs.map(&:last)).round(1),
       ratio: median(pairs.map { |mine, other| mine / other }).round(4))
end

quick = ARGV.include?("--quick")
nodes = quick ? 2_000 : 100_000
rounds = quick ? 3 : 5
random = Random.new(1)
# Neighbours are near, because TSort calls itself and a path of all nodes ends its stack.
ints = (0...nodes).to_h do |node|
  [node, Array.new(DEGREE) { (node % 1000).zero? ? nil : node - 1 - random.rand(node % 1000) }.compact.uniq]
end
compare("ruby_hash_of_ints", ints, rounds)
names = Array.new(nodes) { |node| "step#{node}" }
compare("ruby_hash_of_strings", ints.to_h { |node, after| [names[node], after.map { |other| names[other] }] }, rounds)
