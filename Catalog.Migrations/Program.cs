using Catalog.Migrations;

return await CommandLine.Run(args, Surroundings.OfProcess);
