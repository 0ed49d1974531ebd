# frozen_string_literal: true

# The version of the gem, which is the version of the core it compiles. Read by the gemspec before
# anything is built, so it stands alone.
module Stepwell
  # @return [String] "major.minor.patch"
  VERSION = "0.1.0"
end
