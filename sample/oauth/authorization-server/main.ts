import 'reflect-metadata';

import { NestFactory } from '@nestjs/core';

import { addPasswords, addPeople } from '../people.js';
import { portOf, readPlaces, required } from '../places.js';
import { AppModule } from './app.module.js';

const places = readPlaces(process.env);
const app = await NestFactory.create(
  AppModule.register({
    places,
    databaseUrl: process.env['DATABASE_URL'] ?? 'file:data/oauth.db',
    encryptionKey: required('ENCRYPTION_KEY'),
    printShopSecret: required('PRINT_SHOP_SECRET'),
    usersApiSecret: required('USERS_API_SECRET'),
  }),
  { logger: ['error', 'warn'] },
);
app.enableShutdownHooks();
addPeople(app);
await addPasswords(app, required('DEMO_PASSWORD'));
await app.listen(portOf(places.authorizationServer));
console.log(`The authorization server listens on ${places.authorizationServer}`);
