# frozen_string_literal: true

require_relative "lib/stepwell/version"

# The files of the gem, listed by folder so that nothing gets in or stays out by accident. ext/core
# and ext/stepwell are links to folders of the checkout; where links are not supported they are
# empty, and a gem without its core must not be built.
manifest = lambda do |root|
  patterns = %w[
    lib/**/*.rb sig/**/*.rbs
    ext/stepwell/*.c ext/stepwell/*.h ext/stepwell/extconf.rb
    ext/core/include/**/*.h ext/core/src/*.c ext/core/src/*/*.c ext/core/src/*/*.h
  ]
  files = patterns.flat_map { |pattern| Dir.glob(pattern, base: root) } + %w[LICENSE README.md]
  required = %w[ext/core/src/stepwell_all.c ext/core/include/stepwell.h ext/stepwell/extconf.rb lib/stepwell.rb]
  missing = (required - files) + files.reject { |file| File.file?(File.join(root, file)) }
  raise "stepwell.gemspec: #{missing.join(", ")} not found; is this a checkout with symbolic links?" if missing.any?

  links = files.select { |file| File.symlink?(File.join(root, file)) }
  raise "stepwell.gemspec: #{links.join(", ")} must be files; gem install refuses links" if links.any?

  files.sort
end

Gem::Specification.new do |spec|
  spec.name = "stepwell"
  spec.version = Stepwell::VERSION
  spec.summary = "Durable workflows in Ruby, Python and C, kept in one SQLite file"
  spec.description = "Workflows are graphs of steps. Each step is handled in Ruby, in Python or by a built-in " \
                     "kind, its outcome is committed once, and what was running when a process died runs again."
  spec.authors = ["The Stepwell maintainers"]
  spec.license = "MIT"
  spec.required_ruby_version = ">= 3.1"
  spec.metadata = {
    "rubygems_mfa_required" => "true"
  }
  spec.files = manifest.call(__dir__)
  spec.extensions = ["ext/stepwell/extconf.rb"]
  spec.require_paths = ["lib"]
end
