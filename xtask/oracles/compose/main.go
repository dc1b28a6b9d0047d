// Loads compose files as `docker compose config` does: values put in, references looked up, the model consistent.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/compose-spec/compose-go/v2/cli"
)

func main() {
	for _, file := range os.Args[1:] {
		options, err := cli.NewProjectOptions([]string{file}, cli.WithOsEnv, cli.WithConsistency(true))
		if err == nil {
			project, failed := options.LoadProject(context.Background())
			err = failed
			if err == nil {
				fmt.Printf("  %s: services %v, volumes %v, networks %v\n",
					file, project.ServiceNames(), project.VolumeNames(), project.NetworkNames())
			}
		}
		if err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", file, err)
			os.Exit(1)
		}
	}
}
