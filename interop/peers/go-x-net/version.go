// Package interop holds the version of golang.org/x/net whose interop program install.sh builds; the import keeps it in go.mod.
package interop

import _ "golang.org/x/net/quic"
