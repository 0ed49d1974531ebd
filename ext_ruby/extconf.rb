# frozen_string_literal: true

# Writes the Makefile of the extension: one object for the whole core (stepwell_all.c) and one per
# file of this folder. A C compiler, make and four libraries found by pkg-config are enough.
#
# STEPWELL_WERROR=1    treat warnings as errors (development)
# STEPWELL_SANITIZE=x  compile with -fsanitize=x (development)

require "mkmf"

# pkg-config name => [apt, dnf, brew]
LIBRARIES = {
  "sqlite3" => %w[libsqlite3-dev sqlite-devel sqlite],
  "yaml-0.1" => %w[libyaml-dev libyaml-devel libyaml],
  "jansson" => %w[libjansson-dev jansson-devel jansson],
  "libcrypto" => %w[libssl-dev openssl-devel openssl@3]
}.freeze

SYSTEMS = ["apt-get install", "dnf install", "brew install"].freeze

def install_hint(missing)
  SYSTEMS.each_with_index.map do |command, index|
    "  #{command} pkg-config #{missing.map { |name| LIBRARIES.fetch(name)[index] }.join(" ")}"
  end
end

missing = LIBRARIES.keys.reject { |name| pkg_config(name) }
unless missing.empty?
  abort <<~MESSAGE
    stepwell needs #{missing.join(", ")}, which pkg-config does not find. Install the development packages with one of:
    #{install_hint(missing).join("\n")}
  MESSAGE
end

# The core lies beside this folder, in a checkout and in the gem.
core = File.expand_path("../core", __dir__)
unity = File.join(core, "src", "stepwell_all.c")
abort "stepwell: #{unity} is missing; this package is incomplete" unless File.file?(unity)

$VPATH << "$(srcdir)/../core/src"
$srcs = Dir.children(__dir__).grep(/\.c\z/).sort + [unity]
$INCFLAGS << " -I$(srcdir)/../core/include -I$(srcdir)/../core/src"
$CFLAGS << " -std=c11 -fvisibility=hidden -pthread"
$defs.push("-D_GNU_SOURCE", "-DSW_EMBEDDED")
$LIBS << " -lm -pthread"
$warnflags = "-Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes"
$warnflags += " -Werror" if ENV["STEPWELL_WERROR"] == "1"

if (sanitizers = ENV["STEPWELL_SANITIZE"])
  $CFLAGS << " -fsanitize=#{sanitizers} -fno-omit-frame-pointer"
  $LDFLAGS << " -fsanitize=#{sanitizers}"
  # Ruby leaves frames by a jump that the sanitizer does not see; it would take what they leave on
  # the stack for errors. The stack of the core is watched in the C tests.
  $CFLAGS << " --param asan-stack=0" if sanitizers.include?("address")
end

create_makefile("stepwell/stepwell")
