# The domains. A ninth is one line.
locals {
  domains = {
    auth         = { port = 8000 }
    user         = { port = 8010 }
    order        = { port = 8020 }
    hub          = { port = 8030 }
    delivery     = { port = 8040 }
    notification = { port = 8050 }
    promotion    = { port = 9000 }
    payment      = { port = 9020 }
  }
}
