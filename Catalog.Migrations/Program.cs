using Catalog.Migrations;

return await CommandLine.Run(args, ConsoleContext.OfProcess);
