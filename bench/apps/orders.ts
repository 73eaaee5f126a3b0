import { Body, Controller, Get, Post, type Type } from '@nestjs/common';

import { CreateOrderDto } from './order.dto.js';

const ORDER = { id: '9b2f6a1e-4c1d-4f0e-8a3b-2f1f6b7c8d9e', status: 'open', total: 1299, currency: 'EUR' };

/** The same two routes for every contestant; each gets a class of its own, so that decorators do not meet. */
export function createOrdersController(): Type {
  @Controller('orders')
  class OrdersController {
    @Get()
    read(): object {
      return ORDER;
    }

    @Post()
    create(@Body() order: CreateOrderDto): object {
      return { id: ORDER.id, reference: order.reference, city: order.address.city };
    }
  }
  return OrdersController;
}
